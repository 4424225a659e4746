// Distances of all pairs of a few codes, where neither tiles nor threads pay.
#pragma once

#include "../kernels/kernel.h"
#include "codes.h"

namespace hashindex {

// Writes the distance of a's code i to b's code j to distances[i * b.count + j]. Both have one code_size, at most
// 8,192.
void distances_between(const Codes& a, const Codes& b, const Kernel& kernel, std::int32_t* distances);

// For each of `n_rows` codes among all, how far its neighbours of rank 1, 2, 4, ... are: writes (n_rows, n_ranks).
// There are more codes than the last rank.
void distances_by_rank(const Codes& codes, const std::int64_t* rows, std::size_t n_rows, std::size_t n_ranks,
                       const Kernel& kernel, double* found);

}  // namespace hashindex
