// Queries in blocks, shared out among threads: what searches by a structure have in common.
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include "codes.h"
#include "execution.h"
#include "hit_order.h"
#include "results.h"

namespace hashindex {

// Blocks of queries that are searched together, about `most` at the most; a group of a block, at most as many as a hit
// can tell apart, shares a log.
struct QueryBlocks {
    std::size_t n_queries, group_size, block_size, n_blocks;

    QueryBlocks(std::size_t queries, std::size_t n_threads, std::size_t most) : n_queries(queries) {
        const std::size_t share = std::max<std::size_t>(1, std::min(most, (queries + n_threads - 1) / n_threads));
        const std::size_t groups = (share + max_block_queries - 1) / max_block_queries;
        group_size = (share + groups - 1) / groups;
        block_size = group_size * groups;
        n_blocks = (queries + block_size - 1) / block_size;
    }
};

// How many of `most` queries look for their k nearest together: each keeps up to four times k hits, and a counter per
// distance, which take as much room where k is twice the code's size.
inline std::size_t together_for(std::size_t k, const Codes& queries, std::size_t most) {
    constexpr std::size_t most_kept = std::size_t{1} << 17;
    const std::size_t kept = std::max({k, 2 * queries.code_size, std::size_t{1}});
    return std::clamp(most_kept / kept, std::min(most, max_block_queries), most);
}

// The hits of a block of queries, a log per group.
class BlockLogs {
public:
    void start(std::size_t n_queries, std::size_t group_size) {
        n_queries_ = n_queries;
        group_size_ = group_size;
        places_.clear();
        for (std::size_t q = 0; q < n_queries; ++q)
            places_.push_back({q / group_size, std::uint64_t{q % group_size} << query_shift});
        if (logs_.size() <= places_.back().log) logs_ = std::vector<HitLog>(places_.back().log + 1);
        for (HitLog& log : logs_) log.clear();
    }

    void add(std::size_t q, Hit hit) { logs_[places_[q].log].add(places_[q].query | hit); }

    // A block per group. The logs are used up.
    void write(BlockHits* blocks, Stop& stop) {
        for (std::size_t first = 0; first < n_queries_; first += group_size_)
            *blocks++ = in_order(logs_[first / group_size_], std::min(group_size_, n_queries_ - first), stop);
    }

private:
    struct Place {
        std::size_t log;
        Hit query;
    };

    std::size_t n_queries_ = 0, group_size_ = 1;
    std::vector<Place> places_;  // of each query's hits
    std::vector<HitLog> logs_;
};

// Calls search(first query, number of queries, room for hits) for each block, in parallel; it returns its work. A
// thread keeps its room from block to block.
template <class Search>
void for_each_block(const QueryBlocks& blocks, const Execution& execution, Work& work, Search search) {
    const std::size_t n_tasks = std::min(blocks.n_blocks, 16 * execution.n_threads);
    std::mutex mutex;
    execution.run(n_tasks, [&](std::size_t task) {
        Work done;
        BlockLogs room;
        for (std::size_t block = blocks.n_blocks * task / n_tasks; block < blocks.n_blocks * (task + 1) / n_tasks;
             ++block) {
            const std::size_t first = block * blocks.block_size;
            done += search(first, std::min(blocks.block_size, blocks.n_queries - first), room);
        }
        const std::lock_guard<std::mutex> lock(mutex);
        work += done;
    });
}

// The same for a radius: search(first query, number of queries, collect) calls collect(query of the block, hit).
template <class Search>
RadiusHits radius_by_blocks(const QueryBlocks& blocks, const Execution& execution, Work& work, HitBudget& budget,
                            Search search) {
    RadiusHits hits((blocks.n_queries + blocks.group_size - 1) / blocks.group_size);
    for_each_block(blocks, execution, work, [&](std::size_t first, std::size_t count, BlockLogs& found) {
        found.start(count, blocks.group_size);
        HitBudget::Share share(budget);
        const Work done = search(first, count, [&](std::size_t q, Hit hit) {
            share.take();
            found.add(q, hit);
        });
        found.write(hits.data() + first / blocks.group_size, execution.stop);
        return done;
    });
    return hits;
}

}  // namespace hashindex
