// How searches hand over what they found. Hits within a query are in hit order: distance, then row.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <vector>

#include "../kernels/kernel.h"
#include "../support/stop.h"
#include "../support/uninitialised.h"

namespace hashindex {

constexpr std::int32_t missing_distance = 2147483647;
constexpr std::int64_t missing_row = -1;

// What a search did, for the planner's report; and the kernel that ran (null if none had to).
struct Work {
    std::uint64_t lookups = 0, candidates = 0;
    const char* isa = nullptr;

    void operator+=(const Work& other) {
        lookups += other.lookups;
        candidates += other.candidates;
        if (other.isa) isa = other.isa;
    }
};

// Counts the hits of all threads of a search and stops it at about `most` (0 = no bound): a caller that can ask for
// less at a time is not made to hold much more than it wanted.
class HitBudget {
public:
    struct Exceeded : std::exception {};

    explicit HitBudget(std::size_t most) : most_(most ? most : std::numeric_limits<std::size_t>::max()) {}

    // What one thread takes, told a thousand at a time: threads would wait for each other at every hit.
    class Share {
    public:
        explicit Share(HitBudget& budget) : budget_(budget) {}
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share() {
            if (left_ < at_once) budget_.taken_.fetch_add(at_once - left_, std::memory_order_relaxed);
        }

        void take() {
            if (--left_) return;
            left_ = at_once;
            if (budget_.taken_.fetch_add(at_once, std::memory_order_relaxed) + at_once > budget_.most_)
                throw Exceeded();
        }

    private:
        static constexpr std::size_t at_once = 1024;

        HitBudget& budget_;
        std::size_t left_ = at_once;
    };

private:
    const std::size_t most_;
    std::atomic<std::size_t> taken_{0};
};

// The hits of a block of consecutive queries: those of the block's query q end at ends[q].
struct BlockHits {
    std::vector<std::size_t> ends;
    UninitialisedVector<Hit> hits;
};

// Blocks in query order.
using RadiusHits = std::vector<BlockHits>;

// The hits of one query.
struct HitRun {
    const Hit *begin, *end;

    std::size_t size() const { return static_cast<std::size_t>(end - begin); }
};

// Those of each query; they borrow from `blocks`.
inline std::vector<HitRun> runs_of(const RadiusHits& blocks) {
    std::vector<HitRun> runs;
    for (const BlockHits& block : blocks) {
        const Hit* begin = block.hits.data();
        for (const std::size_t end : block.ends) {
            runs.push_back({begin, block.hits.data() + end});
            begin = runs.back().end;
        }
    }
    return runs;
}

// Caller's arrays of n_queries * k; every place is written. `proven` (n_queries,), or null, is set to false by
// structures that stop early, for each query whose answer might then be another.
struct NearestOutput {
    std::int32_t* distances;
    std::int64_t* rows;
    std::size_t k;
    bool* proven = nullptr;

    // `hits` sorted, at most k of them.
    void write(std::size_t query, const std::vector<Hit>& hits, Stop& stop) const {
        for_each_number(k, stop, [&](std::size_t i) {
            const bool found = i < hits.size();
            distances[query * k + i] = found ? static_cast<std::int32_t>(hit_distance(hits[i])) : missing_distance;
            rows[query * k + i] = found ? static_cast<std::int64_t>(hit_row(hits[i])) : missing_row;
        });
    }
};

}  // namespace hashindex
