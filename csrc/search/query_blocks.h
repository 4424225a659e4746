// Queries in blocks, shared out among threads: what searches by a structure have in common.
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include "codes.h"
#include "execution.h"
#include "hit_log.h"
#include "results.h"

namespace hashindex {

inline std::size_t queries_per_block(std::size_t n_queries, std::size_t n_threads,
                                     std::size_t most = max_block_queries) {
    return std::max<std::size_t>(1, std::min(most, (n_queries + n_threads - 1) / n_threads));
}

// Calls search(block number, first query, number of queries, room for hits) for blocks of the queries, in parallel; it
// returns its work. A thread keeps its room from block to block.
template <class Search>
void for_each_block(const Codes& queries, const Execution& execution, Work& work, Search search,
                    std::size_t most = max_block_queries) {
    const std::size_t size = queries_per_block(queries.count, execution.n_threads, most);
    const std::size_t n_blocks = (queries.count + size - 1) / size;
    const std::size_t n_tasks = std::min(n_blocks, 16 * execution.n_threads);
    std::mutex mutex;
    execution.run(n_tasks, [&](std::size_t task) {
        Work done;
        HitLog room;
        for (std::size_t block = n_blocks * task / n_tasks; block < n_blocks * (task + 1) / n_tasks; ++block)
            done += search(block, block * size, std::min(size, queries.count - block * size), room);
        const std::lock_guard<std::mutex> lock(mutex);
        work += done;
    });
}

}  // namespace hashindex
