// Multi-index hashing: look only into buckets whose key is near the query's.
#pragma once

#include "tables.h"

namespace hashindex {

// As scan_radius, looking only into buckets whose key is within thresholds[t] flips of the query's. Complete if
// sum(thresholds[t] + 1) > radius (general pigeonhole) or a threshold is its table's width.
RadiusHits probe_radius(const Rows& rows, const Tables& tables, const Codes& queries, std::uint32_t radius,
                        const std::int32_t* thresholds, const Execution& execution, Work& work,
                        HitBudget& budget);

// One step of a k-NN search: widen table `table` to `flips` flips. Per table, flips count up from 0.
struct Shell {
    std::int32_t table, flips;
    double cost;  // predicted nanoseconds per query
};

// As scan_nearest, shell by shell until the answer is certain. A query whose remaining shells are predicted to cost more
// than `scan_cost` is left: done[query] = 0, and its row of the output holds what was found so far.
void probe_nearest(const Rows& rows, const Tables& tables, const Codes& queries, const std::int32_t* radii,
                   const std::vector<Shell>& shells, double scan_cost, const Execution& execution,
                   const NearestOutput& output, unsigned char* done, Work& work);

}  // namespace hashindex
