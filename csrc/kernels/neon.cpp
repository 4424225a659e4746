// AArch64, where NEON is part of the base: CNT counts bytes, three pairwise additions sum them to 64-bit lanes.
// 5 instructions per 2 codes and word.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernel.h"

namespace hashindex {
namespace neon {

constexpr const char* isa = "neon";
constexpr std::size_t lanes = 2;
using Vector = uint64x2_t;

static inline Vector zero() { return vdupq_n_u64(0); }
static inline Vector broadcast(std::uint64_t value) { return vdupq_n_u64(value); }
static inline Vector load(const unsigned char* words) { return vreinterpretq_u64_u8(vld1q_u8(words)); }
static inline void store(std::uint64_t* to, Vector value) { vst1q_u64(to, value); }
static inline Vector add(Vector a, Vector b) { return vaddq_u64(a, b); }
static inline Vector popcount_xor(Vector a, Vector b) {
    const uint8x16_t bytes = vcntq_u8(vreinterpretq_u8_u64(veorq_u64(a, b)));
    return vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(bytes)));
}

static inline std::uint64_t which_within(Vector distances, Vector limit) {
    const uint64x2_t inside = vcleq_u64(distances, limit);
    return (vgetq_lane_u64(inside, 0) & 1) | (vgetq_lane_u64(inside, 1) & 2);
}

static inline bool any_within(Vector d0, Vector d1, Vector d2, Vector d3, Vector limit) {
    const uint32x4_t first = vminq_u32(vreinterpretq_u32_u64(d0), vreinterpretq_u32_u64(d1));
    const uint32x4_t second = vminq_u32(vreinterpretq_u32_u64(d2), vreinterpretq_u32_u64(d3));
    const uint64x2_t least = vreinterpretq_u64_u32(vminq_u32(first, second));
    return vmaxvq_u32(vreinterpretq_u32_u64(vcleq_u64(least, limit))) != 0;
}

#include "within_body.h"

}  // namespace neon

const Kernel neon_kernel = {neon::isa, neon::within};

}  // namespace hashindex
#endif
