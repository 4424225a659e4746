#include "assign.h"

#include "cells.h"

namespace hashindex {
namespace {

constexpr std::size_t step = 256;  // centroids that meet an old limit: limits fall fast, steps double up to this

}  // namespace

void assign(const Codes& codes, const Codes& centroids, const Execution& execution, std::int64_t* of,
            std::int32_t* distances) {
    const Rows rows{centroids, {}};
    const Grid grid(codes.count, centroids, 1, queries_per_cell);  // in one part, whatever the threads: no merging
    execution.run(grid.n_blocks, [&](std::size_t block) {
        Cell cell(rows, codes, grid, block, execution);
        std::int64_t* const own = of + cell.first_query();
        std::uint64_t limits[queries_per_cell];
        std::fill_n(limits, cell.n_queries(), 8 * codes.code_size + 1);
        cell.walk(
            tile_step, step, [&](std::size_t q) { return limits[q]; },
            [&](std::size_t q, Hit hit) {
                if (hit_distance(hit) >= limits[q]) return;
                limits[q] = hit_distance(hit);
                own[q] = static_cast<std::int64_t>(hit_row(hit));
            });
        for (std::size_t q = 0; q < cell.n_queries(); ++q)
            distances[cell.first_query() + q] = static_cast<std::int32_t>(limits[q]);
    });
}

}  // namespace hashindex
