// Distances of all pairs of a few codes, where neither tiles nor threads pay.
#pragma once

#include "../kernels/kernel.h"
#include "codes.h"

namespace hashindex {

// Writes the distance of a's code i to b's code j to distances[i * b.count + j]. Both have one code_size, at most
// 8,192.
void distances_between(const Codes& a, const Codes& b, const Kernel& kernel, std::int32_t* distances);

}  // namespace hashindex
