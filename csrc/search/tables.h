// The buckets of multi-index hashing: several partitions of the same rows, each by its own substring of the code.
#pragma once

#include "codes.h"
#include "execution.h"

namespace hashindex {

// Flat arrays, one partition per table: see src/hashindex/engines/tables.py, which owns the layout.
struct Tables {
    const unsigned char* masks;    // (n_tables, code_size): the bits of each key
    const std::int32_t* widths;    // (n_tables,) bits of each key, 1..30
    const std::uint32_t* offsets;  // per table 2**width + 1 of them
    const std::uint32_t* rows;     // (n_tables, n_rows)
    const std::uint64_t* copies;   // (n_copied, n_rows): the codes (of one word) in that order
    std::size_t n_tables;
    std::size_t n_copied;  // the first of the tables

    // Where each table's offsets begin; the last one is their total.
    std::vector<std::size_t> first_offsets() const {
        std::vector<std::size_t> firsts(1, 0);
        for (std::size_t t = 0; t < n_tables; ++t) firsts.push_back(firsts[t] + (std::size_t{1} << widths[t]) + 1);
        return firsts;
    }
};

// Fills `offsets`, `rows` and `copies`; rows of a bucket ascend.
void build_tables(const Codes& codes, const Tables& layout, std::uint32_t* offsets, std::uint32_t* rows,
                  std::uint64_t* copies, const Execution& execution);

}  // namespace hashindex
