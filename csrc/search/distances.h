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

// Counts, for each mask t (a row of `masks`, at most 32 bits of them set), in how many bits under it some codes differ
// from all: writes to counts[t * (most_key_bits + 1) + d] how many pairs of one of the `n_rows` codes and any differ in
// d bits.
constexpr std::size_t most_key_bits = 32;
void key_differences(const Codes& codes, const std::int64_t* rows, std::size_t n_rows, const Codes& masks,
                     const Kernel& kernel, std::int64_t* counts);

}  // namespace hashindex
