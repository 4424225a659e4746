// A whole search in one call: every part by the structure planned for it, then postings, ids and the merge of parts.
#pragma once

#include <vector>

#include "part.h"
#include "structure.h"

namespace hashindex {

// A part, and how it is searched. Borrowed.
struct Step {
    Part part;
    const Structure* structure;
    std::int64_t* looked;  // (8 * code_size + 1,) counts how far each k-NN query had to look; or null
};

// What was done in one step.
struct StepReport {
    Work work;
    double nanoseconds = 0;
};

// Every code within radii[q] (inclusive) of each query q. The constructor finds them, so that offsets and total are
// known before there is room for the matches. Throws HitBudget::Exceeded, Stop::Stopped.
class RadiusSearch {
public:
    RadiusSearch(const std::vector<Step>& steps, const Codes& queries, const std::int32_t* radii, std::size_t most_hits,
                 const Execution& execution, std::vector<StepReport>* reports);

    // (n_queries + 1,) where the matches of each query begin; the last is their total.
    const std::vector<std::int64_t>& offsets() const { return offsets_; }

    // Writes all matches, each query's ordered by (distance, id).
    void write(std::int32_t* distances, std::int64_t* ids) const;

    // After that.
    void free_hits() { found_.clear(); }

private:
    struct Found {
        const Part* part;
        RadiusHits blocks;
        std::vector<HitRun> runs;  // of each query
    };

    std::size_t write_query(std::size_t q, std::int32_t* distances, std::int64_t* ids) const;

    const std::size_t n_queries_;
    const Execution& execution_;
    std::vector<Found> found_;  // of the steps that found anything
    std::vector<std::int64_t> offsets_;
};

// The k nearest codes within radii[q] of each query q into (n_queries, k) arrays, ordered by (distance, id). The k-th
// distance found in one part limits the next. `proven`: see NearestOutput.
void nearest_search(const std::vector<Step>& steps, const Codes& queries, std::size_t k, const std::int32_t* radii,
                    const Execution& execution, std::int32_t* distances, std::int64_t* ids, bool* proven,
                    std::vector<StepReport>* reports);

}  // namespace hashindex
