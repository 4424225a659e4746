// To which centroid codes belong.
#pragma once

#include "codes.h"
#include "execution.h"

namespace hashindex {

// The nearest centroid of each code, the first of those as near, to of (n_codes,), and how far it is to distances
// (n_codes,). There is a centroid.
void assign(const Codes& codes, const Codes& centroids, const Execution& execution, std::int64_t* of,
            std::int32_t* distances);

}  // namespace hashindex
