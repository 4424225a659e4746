// x86-64 with AVX-512F, BW and DQ but no VPOPCNTDQ (Skylake-X, Cascade Lake). Batches: 32 instructions per 64 codes and
// word, 16 of them shuffles, and half as many loads. All else is done as with AVX2.
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
namespace avx512bw {

constexpr const char* isa = "avx512bw";
HASHINDEX_TARGET_BEGIN("avx512f,avx512bw,avx512dq,bmi2,popcnt")

#include "avx2_lanes.h"
#include "nibble_planes.h"

using Bytes = __m512i;
constexpr std::size_t byte_lanes = 64;
constexpr std::size_t planes_at_once = 4;  // 8 sums, 4 rows of the table, 1 vector of codes: 13 of 32 registers

static inline Bytes load_bytes(const unsigned char* bytes) { return _mm512_load_si512(bytes); }
static inline void store_bytes(unsigned char* to, Bytes bytes) { _mm512_store_si512(to, bytes); }
static inline Bytes key_bytes(unsigned char key) { return _mm512_broadcast_i32x4(table_row(key)); }
static inline Bytes differing(Bytes codes, Bytes row) { return _mm512_shuffle_epi8(row, codes); }
static inline Bytes add_saturated(Bytes a, Bytes b) { return _mm512_adds_epu8(a, b); }
// A plain add would be given the only port of shuffles now and then: 8 % more time (Granite Rapids).
static inline Bytes add_bytes(Bytes a, Bytes b) { return add_saturated(a, b); }
static inline Bytes least_bytes(Bytes a, Bytes b) { return _mm512_min_epu8(a, b); }
static inline Bytes all_bytes(std::uint32_t four) { return _mm512_set1_epi32(static_cast<int>(four)); }
static inline std::uint64_t which_below_bytes(Bytes sums, Bytes limits) { return _mm512_cmplt_epu8_mask(sums, limits); }
static inline bool any_below_bytes(const Bytes* sums, const Bytes* limits) {
    return (which_below_bytes(sums[0], limits[0]) | which_below_bytes(sums[1], limits[1]) |
            which_below_bytes(sums[2], limits[2]) | which_below_bytes(sums[3], limits[3])) != 0;
}

#include "plain_sums.h"
#include "transpose_body.h"
#include "vector_hits.h"
#include "within_body.h"
#include "count_body.h"
#include "candidate_body.h"
#include "run_body.h"
#include "filter_fours.h"
#include "filter_vectors.h"
#include "plane_hits.h"
#include "planes_body.h"
#include "no_slices.h"
#include "kernel_body.h"

HASHINDEX_TARGET_END

}  // namespace avx512bw

const Kernel avx512bw_kernel = avx512bw::kernel;

}  // namespace hashindex
#endif
