// How a scan is shared out among threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "codes.h"

namespace hashindex {

// The work as a grid of (block of queries) x (part of the codes). Codes are split only where there are fewer blocks
// than threads.
struct Grid {
    static constexpr std::size_t most_lone_queries = 4;  // as many read the codes as they lie; more share a tile

    // Words compared by a thread of its own, which takes some 20 us to wake: a batch takes 50 for so many. Lone queries
    // take a fourth, since they wait for memory.
    static constexpr std::size_t least_words_per_part = std::size_t{1} << 20;

    std::size_t n_queries, n_codes, block_size, n_blocks, n_parts;

    Grid(std::size_t queries, const Codes& codes, std::size_t n_threads, std::size_t most_per_block)
        : n_queries(queries), n_codes(codes.count) {
        const std::size_t share = (queries + n_threads - 1) / n_threads;  // a block for each thread where they last
        block_size = std::min(most_per_block, std::max(share + query_step - share % query_step, std::size_t{16}));
        n_blocks = (queries + block_size - 1) / block_size;
        const std::size_t wanted =
            n_blocks >= n_threads ? 1 : (n_threads + n_blocks - 1) / std::max<std::size_t>(n_blocks, 1);
        const std::size_t n_words = codes.count * codes.n_words() * std::min(block_size, queries);
        const std::size_t least = queries <= most_lone_queries ? least_words_per_part / 4 : least_words_per_part;
        n_parts = std::max<std::size_t>(1, std::min(wanted, n_words / least));
    }

    std::size_t queries_of(std::size_t block) const { return std::min(block_size, n_queries - block * block_size); }
    std::size_t part_begin(std::size_t part) const { return n_codes / n_parts / tile_step * tile_step * part; }
    std::size_t part_end(std::size_t part) const { return part + 1 == n_parts ? n_codes : part_begin(part + 1); }
};

}  // namespace hashindex
