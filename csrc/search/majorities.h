// The step of k-majority: what most codes of a cluster have.
#pragma once

#include "codes.h"

namespace hashindex {

// For each cluster the bits that more than half of its codes have, to centroids (n_clusters, code_size); one without
// codes stays. `of` (codes.count,) is the cluster of each. Throws std::invalid_argument.
void majorities(const Codes& codes, const std::int64_t* of, std::size_t n_clusters, unsigned char* centroids);

}  // namespace hashindex
