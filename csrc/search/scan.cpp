#include "scan.h"

#include "cells.h"

namespace hashindex {
namespace {

constexpr std::size_t nearest_step = 256;  // codes that meet an old limit where codes come ever nearer

}  // namespace

RadiusHits scan_radius(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                       Work& work, HitBudget& budget) {
    const Grid grid(queries.count, rows.codes, execution.n_threads, queries_per_cell);
    const std::size_t whole = rows.codes.count + tile_step;
    return radius_by_cells(grid, radii, execution, work, budget,
                           [&](std::size_t number, auto limit_of, auto collect) -> Work {
                               Cell cell(rows, queries, grid, number, execution);
                               return {0, cell.size(), cell.walk(whole, whole, limit_of, collect)};
                           });
}

void scan_nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                  const NearestOutput& output, Work& work) {
    const Grid grid(queries.count, rows.codes, execution.n_threads, queries_per_cell);
    const std::size_t first_step = (output.k + tile_step - 1) / tile_step * tile_step;
    nearest_by_cells(
        grid, radii, execution, output, work, [&](std::size_t number, auto limit_of, auto collect) -> Work {
            Cell cell(rows, queries, grid, number, execution);
            return {0, cell.size(), cell.walk(first_step, std::max(first_step, nearest_step), limit_of, collect)};
        });
}

}  // namespace hashindex
