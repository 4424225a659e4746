// x86-64 with AVX2 (2013 on). Batches: 32 instructions per 32 codes and word, 16 of them shuffles, and half as many
// loads. A lone query needs 8.4 instructions per code of 256 bits and 7 per 4 codes of 64 bits, then 7 per 16 codes.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel.h"
#include "target_region.h"
#include "words.h"

namespace hashindex {
namespace avx2 {

constexpr const char* isa = "avx2";
HASHINDEX_TARGET_BEGIN("avx2,bmi2,popcnt")

#include "avx2_lanes.h"
#include "nibble_planes.h"

using Bytes = __m256i;
constexpr std::size_t byte_lanes = 32;
constexpr std::size_t planes_at_once = 2;  // 8 sums, 2 rows of the table, 1 vector of codes: 11 of 16 registers

static inline Bytes load_bytes(const unsigned char* bytes) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
}
static inline void store_bytes(unsigned char* to, Bytes bytes) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), bytes);
}
static inline Bytes key_bytes(unsigned char key) { return _mm256_broadcastsi128_si256(table_row(key)); }
static inline Bytes differing(Bytes codes, Bytes row) { return _mm256_shuffle_epi8(row, codes); }
static inline Bytes add_bytes(Bytes a, Bytes b) { return _mm256_add_epi8(a, b); }
static inline Bytes add_saturated(Bytes a, Bytes b) { return _mm256_adds_epu8(a, b); }
static inline Bytes least_bytes(Bytes a, Bytes b) { return _mm256_min_epu8(a, b); }
static inline Bytes all_bytes(std::uint32_t four) { return _mm256_set1_epi32(static_cast<int>(four)); }
static inline bool any_below_bytes(const Bytes* sums, const Bytes* limits) {
    const Bytes below = _mm256_or_si256(_mm256_subs_epu8(limits[0], sums[0]), _mm256_subs_epu8(limits[1], sums[1]));
    return !_mm256_testz_si256(below, below);
}
static inline std::uint64_t which_below_bytes(Bytes sums, Bytes limits) {
    const Bytes beyond = _mm256_cmpeq_epi8(_mm256_subs_epu8(limits, sums), _mm256_setzero_si256());
    return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(beyond));
}

#include "plain_sums.h"
#include "transpose_body.h"
#include "vector_hits.h"
#include "within_body.h"
#include "count_body.h"
#include "candidate_body.h"
#include "run_body.h"
#include "filter_body.h"
#include "plane_hits.h"
#include "planes_body.h"
#include "kernel_body.h"

HASHINDEX_TARGET_END

}  // namespace avx2

const Kernel avx2_kernel = avx2::kernel;

}  // namespace hashindex
#endif
