// Any CPU: popcount by adding bits in ever wider fields (Warren, Hacker's Delight, section 5-1): 12 operations a word.
#include "kernel.h"
#include "target_region.h"
#include "words.h"

namespace hashindex {
namespace scalar {

constexpr const char* isa = "scalar";

static inline std::uint64_t popcount(std::uint64_t bits) {
    bits -= (bits >> 1) & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + ((bits >> 2) & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (bits * 0x0101010101010101u) >> 56;
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

}  // namespace scalar

const Kernel scalar_kernel = scalar::kernel;

}  // namespace hashindex
