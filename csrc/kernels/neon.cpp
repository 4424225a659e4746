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

// Planes of whole bytes, where CNT needs no table: 6 instructions per 16 codes and 2 bytes.
constexpr std::size_t planes_per_byte = 1;
using Bytes = uint8x16_t;
constexpr std::size_t byte_lanes = 16;
constexpr std::size_t planes_at_once = 2;  // 16 sums, 2 keys, 1 vector of codes and what they differ in: 20 of 32

static inline Bytes load_bytes(const unsigned char* bytes) { return vld1q_u8(bytes); }
static inline void store_bytes(unsigned char* to, Bytes bytes) { vst1q_u8(to, bytes); }
static inline unsigned char plane_key(unsigned char byte, std::size_t) { return byte; }
static inline Bytes key_bytes(unsigned char key) { return vdupq_n_u8(key); }
static inline Bytes differing(Bytes codes, Bytes key) { return vcntq_u8(veorq_u8(codes, key)); }
static inline Bytes add_bytes(Bytes a, Bytes b) { return vaddq_u8(a, b); }
static inline Bytes add_saturated(Bytes a, Bytes b) { return vqaddq_u8(a, b); }
static inline Bytes least_bytes(Bytes a, Bytes b) { return vminq_u8(a, b); }
static inline Bytes all_bytes(std::uint32_t four) { return vreinterpretq_u8_u32(vdupq_n_u32(four)); }
static inline bool any_below_bytes(const Bytes* sums, const Bytes* limits) {
    return vmaxvq_u8(vorrq_u8(vcltq_u8(sums[0], limits[0]), vcltq_u8(sums[1], limits[1]))) != 0;
}
static inline std::uint64_t which_below_bytes(Bytes sums, Bytes limits) {
    const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
    const uint8x16_t below = vandq_u8(vcltq_u8(sums, limits), bits);
    return vaddv_u8(vget_low_u8(below)) | std::uint64_t{vaddv_u8(vget_high_u8(below))} << 8;
}

static inline uint8x16_t words_of_two(const unsigned char* a, const unsigned char* b, std::size_t n_bytes) {
    const bool whole = n_bytes == 8;
    const std::uint64_t words[2] = {whole ? load_word(a) : load_last(a, n_bytes),
                                    whole ? load_word(b) : load_last(b, n_bytes)};
    return vreinterpretq_u8_u64(vld1q_u64(words));
}

// Per 16 codes and word: 16 loads, 40 permutations (8 of which put words beside each other), 8 stores.
static Found split(const unsigned char* codes, std::size_t code_size, std::size_t count, unsigned char* set) {
    for (std::size_t first = 0; first < plane_step; first += 16)
        for (std::size_t byte = 0; byte < code_size; byte += 8) {
            const std::size_t n_bytes = code_size - byte < 8 ? code_size - byte : 8;
            uint16x8_t twos[8];  // codes beside each other
            uint32x4_t fours[8];
            uint64x2_t eights[8];
            HASHINDEX_UNROLL
            for (std::size_t i = 0; i < 8; ++i) {
                const std::size_t a = first + 2 * i, last = count - 1;
                const uint8x16_t words =
                    words_of_two(codes + (a < last ? a : last) * code_size + byte,
                                 codes + (a + 1 < last ? a + 1 : last) * code_size + byte, n_bytes);
                twos[i] = vreinterpretq_u16_u8(vzip1q_u8(words, vextq_u8(words, words, 8)));
            }
            HASHINDEX_UNROLL
            for (std::size_t i = 0; i < 4; ++i) {  // bytes 0 to 3, then 4 to 7
                fours[i] = vreinterpretq_u32_u16(vzip1q_u16(twos[2 * i], twos[2 * i + 1]));
                fours[4 + i] = vreinterpretq_u32_u16(vzip2q_u16(twos[2 * i], twos[2 * i + 1]));
            }
            HASHINDEX_UNROLL
            for (std::size_t i = 0; i < 4; ++i) {  // two bytes each, of codes 0 to 7, then of 8 to 15
                const uint32x4_t* four = fours + i / 2 * 4;
                eights[i] = vreinterpretq_u64_u32(i % 2 ? vzip2q_u32(four[0], four[1]) : vzip1q_u32(four[0], four[1]));
                eights[4 + i] =
                    vreinterpretq_u64_u32(i % 2 ? vzip2q_u32(four[2], four[3]) : vzip1q_u32(four[2], four[3]));
            }
            HASHINDEX_UNROLL
            for (std::size_t i = 0; i < 8; ++i) {
                const uint64x2_t a = eights[i / 2], b = eights[4 + i / 2];
                if (i < n_bytes)
                    vst1q_u8(set + plane_step * (byte + i) + first,
                             vreinterpretq_u8_u64(i % 2 ? vzip2q_u64(a, b) : vzip1q_u64(a, b)));
            }
        }
    return {count, isa};
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
#include "plane_hits.h"
#include "planes_body.h"
#include "no_slices.h"
#include "kernel_body.h"

}  // namespace neon

const Kernel neon_kernel = neon::kernel;

}  // namespace hashindex
#endif
