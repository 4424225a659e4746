// Whether codes are turned for a batch.
#pragma once

#include "../kernels/kernel.h"
#include "codes.h"

namespace hashindex {

// Whether `count` of the codes are worth turning into planes or slices for so many queries: least_queries, or 12 for
// codes of one word, whose tiles need no turning and stay ahead for longer. A search for the nearest begins with small
// steps, and each looks at a whole set.
inline bool turning_pays(const Codes& codes, std::size_t count, std::size_t n_queries, std::size_t least_queries) {
    constexpr std::size_t least_of_word = 12, least_codes = 512;
    return codes.code_size <= most_plane_bytes && count >= least_codes &&
           n_queries >= (codes.code_size == 8 ? least_of_word : least_queries);
}

}  // namespace hashindex
