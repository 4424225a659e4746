// x86-64 with AVX-512F and VPOPCNTDQ (Ice Lake, Zen 4 on): VPOPCNTQ counts 8 words at once, 1 (Intel) or 2 (Zen 5) a
// cycle. 3 instructions per 8 codes and word.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel.h"
#include "target_region.h"

#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // false alarm inside GCC 12's own avx512fintrin.h (bug 105593)
#endif

namespace hashindex {
namespace avx512 {

constexpr const char* isa = "avx512";
constexpr std::size_t lanes = 8;
using Vector = __m512i;

HASHINDEX_TARGET_BEGIN("avx512f,avx512vpopcntdq")

static inline Vector zero() { return _mm512_setzero_si512(); }
static inline Vector broadcast(std::uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); }
static inline Vector load(const unsigned char* words) { return _mm512_loadu_si512(words); }
static inline void store(std::uint64_t* to, Vector value) { _mm512_storeu_si512(to, value); }
static inline Vector add(Vector a, Vector b) { return _mm512_add_epi64(a, b); }
static inline Vector popcount_xor(Vector a, Vector b) { return _mm512_popcnt_epi64(_mm512_xor_si512(a, b)); }

static inline std::uint64_t which_within(Vector distances, Vector limit) {
    return _mm512_cmple_epu64_mask(distances, limit);
}

static inline bool any_within(Vector d0, Vector d1, Vector d2, Vector d3, Vector limit) {
    const Vector least = _mm512_min_epu32(_mm512_min_epu32(d0, d1), _mm512_min_epu32(d2, d3));
    return _mm512_cmple_epu64_mask(least, limit) != 0;
}

#include "within_body.h"

HASHINDEX_TARGET_END

}  // namespace avx512

const Kernel avx512_kernel = {avx512::isa, avx512::within};

}  // namespace hashindex
#endif
