// x86-64 with AVX-512F, DQ and VPOPCNTDQ (Ice Lake, Zen 4 on): VPOPCNTQ counts 8 words at once, 1 (Intel) or 2 (Zen 5)
// a cycle. 3 instructions per 8 codes and word. A lone query needs 2 per 8 codes of 64 bits, 17 per 8 codes of 256
// bits.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel.h"
#include "target_region.h"
#include "words.h"

#if !defined(__clang__)
// False alarms inside GCC 12's own avx512fintrin.h (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace hashindex {
namespace avx512 {

constexpr const char* isa = "avx512";
constexpr std::size_t lanes = 8;
using Vector = __m512i;
constexpr std::size_t at_once = 4;  // 16 sums, 4 vectors of codes: 20 of 32 registers

HASHINDEX_TARGET_BEGIN("avx512f,avx512dq,avx512vpopcntdq,bmi2,popcnt")

static inline Vector broadcast(std::uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); }
static inline Vector load(const unsigned char* words) { return _mm512_loadu_si512(words); }
static inline void store(std::uint64_t* to, Vector value) { _mm512_storeu_si512(to, value); }
static inline Vector add(Vector a, Vector b) { return _mm512_add_epi64(a, b); }
static inline Vector both(Vector a, Vector b) { return _mm512_and_si512(a, b); }
static inline Vector popcount_xor(Vector a, Vector b) { return _mm512_popcnt_epi64(_mm512_xor_si512(a, b)); }

// a0 + a1, a2 + a3, a4 + a5, a6 + a7, then the same of b.
static inline Vector sum_two(Vector a, Vector b) {
    const Vector even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
    return add(_mm512_permutex2var_epi64(a, even, b), _mm512_permutex2var_epi64(a, odd, b));
}

// The sums of each n neighbouring lanes of n vectors, in order.
static inline Vector sum_neighbours(const Vector* v, const std::size_t n) {
    if (n == 1) return v[0];
    const Vector a = sum_two(v[0], v[1]);
    if (n == 2) return a;
    const Vector b = sum_two(a, sum_two(v[2], v[3]));
    if (n == 4) return b;
    return sum_two(b, sum_two(sum_two(v[4], v[5]), sum_two(v[6], v[7])));
}

static inline Vector as_hits(Vector distances) { return _mm512_slli_epi64(distances, row_bits); }

static inline std::uint64_t which_below(Vector distances, Vector limit) {
    return _mm512_cmplt_epu64_mask(distances, limit);
}

static inline bool any_below(Vector d0, Vector d1, Vector d2, Vector d3, Vector limit) {
    const Vector least = _mm512_min_epu32(_mm512_min_epu32(d0, d1), _mm512_min_epu32(d2, d3));
    return _mm512_cmplt_epu64_mask(least, limit) != 0;
}

static inline std::uint64_t popcount(std::uint64_t bits) {
    return static_cast<std::uint64_t>(__builtin_popcountll(bits));
}
static inline std::uint64_t select(std::uint64_t word, std::uint64_t mask) { return _pext_u64(word, mask); }

// 8 x 8 words at once: 8 loads, 24 shuffles, 8 stores.
static Found transpose(const unsigned char* codes, std::size_t code_size, std::size_t count, std::uint64_t* group) {
    const std::size_t n_whole = code_size / 8;
    for (std::size_t w = 0; w < n_whole; w += 8) {
        const std::size_t n_columns = n_whole - w < 8 ? n_whole - w : 8;
        const auto columns = static_cast<__mmask8>((1u << n_columns) - 1);
        for (std::size_t i = 0; i < count; i += 8) {
            Vector r[8], c[8];
            HASHINDEX_UNROLL
            for (std::size_t j = 0; j < 8; ++j)
                r[j] = i + j < count ? _mm512_maskz_loadu_epi64(columns, codes + (i + j) * code_size + 8 * w)
                                     : _mm512_setzero_si512();
            HASHINDEX_UNROLL
            for (std::size_t odd = 0; odd < 2; ++odd) {
                Vector p[4];  // pairs of codes: words odd, odd + 2, odd + 4, odd + 6 of two codes
                HASHINDEX_UNROLL
                for (std::size_t j = 0; j < 4; ++j)
                    p[j] = odd ? _mm512_unpackhi_epi64(r[2 * j], r[2 * j + 1])
                               : _mm512_unpacklo_epi64(r[2 * j], r[2 * j + 1]);
                const Vector a = _mm512_shuffle_i64x2(p[0], p[1], 0x88), b = _mm512_shuffle_i64x2(p[2], p[3], 0x88),
                             x = _mm512_shuffle_i64x2(p[0], p[1], 0xdd), y = _mm512_shuffle_i64x2(p[2], p[3], 0xdd);
                c[odd] = _mm512_shuffle_i64x2(a, b, 0x88);
                c[odd + 2] = _mm512_shuffle_i64x2(x, y, 0x88);
                c[odd + 4] = _mm512_shuffle_i64x2(a, b, 0xdd);
                c[odd + 6] = _mm512_shuffle_i64x2(x, y, 0xdd);
            }
            HASHINDEX_UNROLL
            for (std::size_t j = 0; j < 8; ++j)
                if (j < n_columns) _mm512_storeu_si512(group + (w + j) * tile_step + i, c[j]);
        }
    }
    for (std::size_t i = 0; code_size % 8 && i < count; ++i)
        group[n_whole * tile_step + i] = load_last(codes + i * code_size + 8 * n_whole, code_size % 8);
    return {count, isa};
}

constexpr std::uint32_t one_by_one = 0;  // a vector of fewer copies takes no longer

// 8 copies at once: 1 load, 1 xor, 1 popcount, 1 compare-and-branch.
static inline __attribute__((always_inline)) std::size_t filter_bucket(const Bucket& bucket,
                                                                       const std::uint64_t* copies, std::uint64_t query,
                                                                       std::uint64_t limit, const bool many,
                                                                       Candidate* candidates,
                                                                       std::uint32_t* distances) {
    const Vector lane = _mm512_slli_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), 32);
    const Vector word = broadcast(query), most = broadcast(limit);
    std::size_t count = 0;
    for (std::size_t place = bucket.begin; place < bucket.end; place += 8) {
        const std::size_t left = bucket.end - place;
        const auto inside = static_cast<__mmask8>(left < 8 ? (1u << left) - 1 : 0xffu);
        const Vector sums = popcount_xor(_mm512_maskz_loadu_epi64(inside, copies + place), word);
        const __mmask8 which = _mm512_mask_cmplt_epu64_mask(inside, sums, most);
        if (!many && __builtin_expect(which == 0, 1)) continue;
        const Vector first = broadcast(place << 32 | bucket.query);
        _mm512_storeu_si512(candidates + count, _mm512_maskz_compress_epi64(which, _mm512_add_epi64(first, lane)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(distances + count),
                            _mm512_cvtepi64_epi32(_mm512_maskz_compress_epi64(which, sums)));
        count += popcount(which);
    }
    return count;
}

#include "plain_sums.h"
#include "vector_hits.h"
#include "within_body.h"
#include "count_body.h"
#include "candidate_body.h"
#include "plain_run.h"
#include "run_body.h"
#include "filter_vectors.h"
#include "no_planes.h"
#include "no_slices.h"
#include "kernel_body.h"

HASHINDEX_TARGET_END

}  // namespace avx512

const Kernel avx512_kernel = avx512::kernel;

}  // namespace hashindex
#endif
