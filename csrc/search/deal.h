// Which bits of a code address the buckets of which table, by a sample of the codes.
#pragma once

#include "../kernels/kernel.h"
#include "codes.h"

namespace hashindex {

struct Dealing {
    std::size_t step;  // every so many codes one is looked at, at least 1
    std::size_t n_bits;
    std::size_t n_tables, width;  // n_tables * width <= n_bits
};

// Sets `width` bits of each mask, (n_tables, (n_bits + 7) / 8) of zeros. The same as `dealt` of
// src/hashindex/structures/multi_index/layout.py, which says how: the numbers are added up in the same order. Takes
// (n_bits + n_tables * width) times the codes looked at / 8 bytes.
void deal(const Codes& codes, const Dealing& dealing, const Kernel& kernel, unsigned char* masks);

}  // namespace hashindex
