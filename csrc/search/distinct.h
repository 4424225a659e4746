// How many distinct codes there are, about.
#pragma once

#include "codes.h"

namespace hashindex {

// Counts the distinct ones among those whose hash begins with zeros: about 2**13 values, and all of fewer codes. The
// same number as `sampled_distinct` of src/hashindex/segments/postings.py, which says why. Takes 16 bytes per value
// sampled and at most 1 MiB more, however many codes have it.
std::size_t estimate_distinct(const Codes& codes);

}  // namespace hashindex
