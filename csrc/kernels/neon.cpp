// AArch64, where NEON is part of the base: CNT counts bytes, three pairwise additions sum them to 64-bit lanes.
// 5 instructions per 2 codes and word. A lone query's wide codes need 4 per vector, a load among them, and 4 to sum up.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernel.h"
#include "target_region.h"
#include "words.h"

namespace hashindex {
namespace neon {

constexpr const char* isa = "neon";
constexpr std::size_t lanes = 2;
using Vector = uint64x2_t;
constexpr std::size_t at_once = 4;  // 16 sums, 4 vectors of codes: 20 of 32 registers

static inline Vector broadcast(std::uint64_t value) { return vdupq_n_u64(value); }
static inline Vector load(const unsigned char* words) { return vreinterpretq_u64_u8(vld1q_u8(words)); }
static inline void store(std::uint64_t* to, Vector value) { vst1q_u64(to, value); }
static inline Vector add(Vector a, Vector b) { return vaddq_u64(a, b); }
static inline Vector both(Vector a, Vector b) { return vandq_u64(a, b); }
static inline Vector popcount_xor(Vector a, Vector b) {
    const uint8x16_t bytes = vcntq_u8(vreinterpretq_u8_u64(veorq_u64(a, b)));
    return vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(bytes)));
}

// Counts stay in bytes over 31 vectors at most: 31 * 8 fits in a byte.
static inline __attribute__((always_inline)) Vector sum_vectors(const unsigned char* a, const unsigned char* b,
                                                                const std::size_t n_vectors) {
    Vector sum = broadcast(0);
    for (std::size_t first = 0; first < n_vectors; first += 31) {
        const std::size_t n = n_vectors - first < 31 ? n_vectors - first : 31;
        uint8x16_t bytes = vdupq_n_u8(0);
        for (std::size_t i = 0; i < n; ++i, a += 16, b += 16)
            bytes = vaddq_u8(bytes, vcntq_u8(veorq_u8(vld1q_u8(a), vld1q_u8(b))));
        sum = add(sum, vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(bytes))));
    }
    return sum;
}

// The sums of each n neighbouring lanes of n vectors, in order.
static inline Vector sum_neighbours(const Vector* v, const std::size_t n) {
    return n == 1 ? v[0] : vpaddq_u64(v[0], v[1]);
}

static inline Vector as_hits(Vector distances) { return vshlq_n_u64(distances, row_bits); }

static inline std::uint64_t which_below(Vector distances, Vector limit) {
    const uint64x2_t below = vcltq_u64(distances, limit);
    return (vgetq_lane_u64(below, 0) & 1) | (vgetq_lane_u64(below, 1) & 2);
}

static inline bool any_below(Vector d0, Vector d1, Vector d2, Vector d3, Vector limit) {
    const uint32x4_t first = vminq_u32(vreinterpretq_u32_u64(d0), vreinterpretq_u32_u64(d1));
    const uint32x4_t second = vminq_u32(vreinterpretq_u32_u64(d2), vreinterpretq_u32_u64(d3));
    const uint64x2_t least = vreinterpretq_u64_u32(vminq_u32(first, second));
    return vmaxvq_u32(vreinterpretq_u32_u64(vcltq_u64(least, limit))) != 0;
}

static inline std::uint64_t popcount(std::uint64_t bits) {
    return static_cast<std::uint64_t>(__builtin_popcountll(bits));
}

#include "plain_bits.h"
#include "transpose_body.h"
#include "vector_hits.h"
#include "within_body.h"
#include "count_body.h"
#include "candidate_body.h"
#include "plain_run.h"
#include "run_body.h"
#include "filter_body.h"
#include "kernel_body.h"

}  // namespace neon

const Kernel neon_kernel = neon::kernel;

}  // namespace hashindex
#endif
