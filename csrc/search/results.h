// How searches hand over what they found. Rows within a query are in hit order: distance, then row.
#pragma once

#include <cstdint>
#include <vector>

#include "../kernels/kernel.h"

namespace hashindex {

constexpr std::int32_t missing_distance = 2147483647;
constexpr std::int64_t missing_row = -1;

// One list per query.
using RadiusHits = std::vector<std::vector<Hit>>;

// Caller's arrays of n_queries * k; every place is written.
struct NearestOutput {
    std::int32_t* distances;
    std::int64_t* rows;
    std::size_t k;

    // `hits` sorted, at most k of them.
    void write(std::size_t query, const std::vector<Hit>& hits) const {
        for (std::size_t i = 0; i < k; ++i) {
            const bool found = i < hits.size();
            distances[query * k + i] = found ? static_cast<std::int32_t>(hit_distance(hits[i])) : missing_distance;
            rows[query * k + i] = found ? static_cast<std::int64_t>(hit_row(hits[i])) : missing_row;
        }
    }
};

}  // namespace hashindex
