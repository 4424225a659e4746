// x86-64 with POPCNT (2008 on): one instruction a word, 1 (Intel) to 4 (Zen 5) a cycle.
#if defined(__x86_64__)
#include "kernel.h"
#include "target_region.h"
#include "words.h"

namespace hashindex {
namespace popcnt {

constexpr const char* isa = "popcnt";

HASHINDEX_TARGET_BEGIN("popcnt")

static inline std::uint64_t popcount(std::uint64_t bits) {
    return static_cast<std::uint64_t>(__builtin_popcountll(bits));
}

#include "plain_bits.h"
#include "word_lanes.h"
#include "plain_sums.h"
#include "transpose_body.h"
#include "within_body.h"
#include "count_body.h"
#include "candidate_body.h"
#include "plain_run.h"
#include "run_body.h"
#include "filter_body.h"
#include "no_planes.h"
#include "no_slices.h"
#include "kernel_body.h"

HASHINDEX_TARGET_END

}  // namespace popcnt

const Kernel popcnt_kernel = popcnt::kernel;

}  // namespace hashindex
#endif
