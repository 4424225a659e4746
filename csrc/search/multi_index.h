// Multi-index hashing: several partitions of the same rows into buckets, each by its own substring of the code.
#pragma once

#include "scan.h"

namespace hashindex {

// Flat arrays, one partition per table: see src/hashindex/tables.py, which owns the layout.
struct Tables {
    const std::int32_t* starts;    // (n_tables,) first bit of each key
    const std::int32_t* widths;    // (n_tables,) bits of each key, 1..30
    const std::uint32_t* offsets;  // per table 2**width + 1 of them
    const std::uint32_t* rows;     // (n_tables, n_codes)
    std::size_t n_tables;
};

// Bits [start, start + width) of a code as a big-endian integer; bit 0 is the most significant bit of byte 0.
std::uint32_t read_key(const unsigned char* code, std::int32_t start, std::int32_t width);

// Fills `offsets` and `rows` by a counting sort per table; rows of a bucket ascend.
void build_tables(const Codes& codes, const Tables& layout, std::uint32_t* offsets, std::uint32_t* rows,
                  const Execution& execution);

// As scan_radius, looking only into buckets whose key is within thresholds[t] flips of the query's.
RadiusHits probe_radius(const Codes& codes, const Tables& tables, const Codes& queries, std::uint32_t radius,
                        const std::int32_t* thresholds, const Execution& execution, const char*& isa);

// As scan_nearest, by ever wider shells around the query's keys.
void probe_nearest(const Codes& codes, const Tables& tables, const Codes& queries, std::uint32_t radius,
                   const Execution& execution, const NearestOutput& output, const char*& isa);

}  // namespace hashindex
