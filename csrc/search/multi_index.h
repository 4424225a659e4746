// Multi-index hashing: look only into buckets whose key is near the query's.
#pragma once

#include <utility>
#include <vector>

#include "results.h"
#include "structure.h"
#include "tables.h"

namespace hashindex {

// As scan_radius, looking only into buckets whose key is within thresholds[t] flips of the query's. Complete if
// sum(thresholds[t] + 1) exceeds every radius (general pigeonhole) or a threshold is its table's width.
RadiusHits probe_radius(const Rows& rows, const Tables& tables, const Codes& queries, const std::int32_t* radii,
                        const std::int32_t* thresholds, const Execution& execution, Work& work, HitBudget& budget);

// One step of a k-NN search: widen table `table` to `flips` flips. Per table, flips count up from 0.
struct Shell {
    std::int32_t table, flips;
    double cost;  // predicted nanoseconds per query
};

// As scan_nearest, shell by shell until the answer is certain. A query whose remaining shells are predicted to cost
// more than `scan_cost` is finished by a scan.
void probe_nearest(const Rows& rows, const Tables& tables, const Codes& queries, const std::int32_t* radii,
                   const std::vector<Shell>& shells, double scan_cost, const Execution& execution,
                   const NearestOutput& output, Work& work);

// Tables with what was planned for one kind of search: thresholds for a radius, or shells for k nearest.
class MultiIndex final : public Structure {
public:
    MultiIndex(const Tables& tables, std::vector<std::int32_t> thresholds, std::vector<Shell> shells, double scan_cost)
        : tables_(tables), thresholds_(std::move(thresholds)), shells_(std::move(shells)), scan_cost_(scan_cost) {}

    RadiusHits radius(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                      Work& work, HitBudget& budget) const override {
        return probe_radius(rows, tables_, queries, radii, thresholds_.data(), execution, work, budget);
    }
    void nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                 const NearestOutput& output, Work& work) const override {
        probe_nearest(rows, tables_, queries, radii, shells_, scan_cost_, execution, output, work);
    }

private:
    const Tables tables_;
    const std::vector<std::int32_t> thresholds_;
    const std::vector<Shell> shells_;
    const double scan_cost_;
};

}  // namespace hashindex
