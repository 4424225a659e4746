#include "scan.h"

#include <algorithm>
#include <mutex>

#include "grid.h"
#include "hit_order.h"
#include "nearest_collector.h"
#include "plane_buffer.h"
#include "tile_buffer.h"

namespace hashindex {
namespace {

constexpr std::size_t queries_per_block = 128;
constexpr std::size_t codes_per_run = 512;
constexpr std::size_t bytes_per_look = std::size_t{1} << 20;  // of codes, between two looks at whether to stop
constexpr std::size_t nearest_step = 256;  // codes that meet an old limit where codes come ever nearer
static_assert(queries_per_block <= max_block_queries && queries_per_block % query_step == 0);

// One cell of the grid: a block of queries walks over a part of the codes.
class Cell {
public:
    Cell(const Rows& rows, const Codes& queries, const Grid& grid, std::size_t number, const Execution& execution)
        : rows_(rows),
          kernel_(execution.kernel),
          stop_(execution.stop),
          part_(number % grid.n_parts),
          block_(number / grid.n_parts),
          first_query_(block_ * grid.block_size),
          n_queries_(std::min(grid.block_size, grid.n_queries - first_query_)),
          begin_(grid.part_begin(part_)),
          end_(grid.part_end(part_)),
          padded_((n_queries_ + query_step - 1) / query_step * query_step),
          words_(words_of(queries, first_query_, n_queries_, padded_)) {}

    std::size_t part() const { return part_; }
    std::size_t block() const { return block_; }
    std::size_t first_query() const { return first_query_; }
    std::size_t n_queries() const { return n_queries_; }

    // Calls collect(query in the block, hit) for every row below its query's limit, which is asked for again after each
    // of its hits and used from the next step on. Steps double from `first_step` to `most_step` codes, so that limits
    // which shrink with the hits do so before many codes have met them.
    template <class LimitOf, class Collect>
    const char* walk(std::size_t first_step, std::size_t most_step, LimitOf limit_of, Collect collect) {
        if (n_queries_ <= Grid::most_lone_queries)
            return walk_runs(std::min(first_step, codes_per_run), limit_of, collect);
        if (PlaneBuffer::pays(rows_.codes, end_ - begin_, n_queries_, kernel_)) {
            AlignedBuffer<unsigned char> keys(padded_ * kernel_.planes_per_byte * rows_.codes.code_size);
            kernel_.make_keys(words_.data(), rows_.codes.code_size, padded_, keys.data());
            return walk_tiles(
                PlaneBuffer(rows_.codes, kernel_), first_step, most_step,
                [&](const PlaneTile& tile, const std::uint64_t* limits, Hit* hits) {
                    return kernel_.within_planes(tile, {keys.data(), limits, padded_}, hits);
                },
                limit_of, collect);
        }
        return walk_tiles(
            TileBuffer(rows_.codes, padded_, kernel_), first_step, most_step,
            [&](const Tile& tile, const std::uint64_t* limits, Hit* hits) {
                return kernel_.within(tile, {words_.data(), limits, padded_}, hits);
            },
            limit_of, collect);
    }

private:
    template <class LimitOf, class Collect>
    const char* walk_runs(std::size_t step, LimitOf limit_of, Collect collect) {
        const std::size_t n_words = rows_.codes.n_words(), code_size = rows_.codes.code_size;
        Hit hits[codes_per_run];
        const char* isa = nullptr;
        std::size_t n_bytes = 0;
        for (std::size_t first = begin_, count; first < end_;
             first += count, step = std::min(2 * step, codes_per_run)) {
            count = std::min(step, end_ - first);
            n_bytes += count * code_size;
            if (n_bytes >= bytes_per_look) {
                stop_.check();
                n_bytes = 0;
            }
            for (std::size_t q = 0; q < n_queries_; ++q) {
                const Found found = kernel_.within_run(rows_.codes.row(first), code_size, count, end_ - first,
                                                       words_.data() + q * n_words, limit_of(q), hits);
                isa = found.isa;
                for (std::size_t i = 0; i < found.count; ++i)
                    if (rows_.has(first + hit_row(hits[i])))
                        collect(q, std::uint64_t{q} << query_shift | (hits[i] + first));
            }
        }
        return isa;
    }

    template <class Buffer, class Within, class LimitOf, class Collect>
    const char* walk_tiles(Buffer buffer, std::size_t step, std::size_t most_step, Within within, LimitOf limit_of,
                           Collect collect) {
        AlignedBuffer<Hit> hits(buffer.capacity() * padded_);
        std::vector<std::uint64_t> limits(padded_, 0);
        const char* isa = nullptr;
        for (std::size_t q = 0; q < n_queries_; ++q) limits[q] = limit_of(q);
        for (std::size_t first = begin_; first < end_;) {
            stop_.check();
            const auto tile = buffer.run(first, std::min(buffer.capacity(), end_ - first));
            for (std::size_t done = 0; done < tile.n_codes; step = std::min(2 * step, most_step)) {
                const auto part = tile.part(done, step);
                const Found found = within(part, limits.data(), hits.data());
                isa = found.isa;
                for (std::size_t i = 0; i < found.count; ++i) {
                    const Hit hit = hits[i] + first + done;
                    const std::size_t q = hit_query(hit);
                    if (!rows_.has(hit_row(hit))) continue;
                    collect(q, hit);
                    limits[q] = limit_of(q);
                }
                done += part.n_codes;
            }
            first += tile.n_codes;
        }
        return isa;
    }

    const Rows& rows_;
    const Kernel& kernel_;
    Stop& stop_;
    std::size_t part_, block_, first_query_, n_queries_, begin_, end_, padded_;
    std::vector<std::uint64_t> words_;
};

// Calls search(cell) for every cell of the grid, in parallel; it returns the ISA that ran.
template <class Search>
void for_each_cell(const Rows& rows, const Codes& queries, const Grid& grid, const Execution& execution, Work& work,
                   Search search) {
    std::mutex mutex;
    execution.run(grid.n_blocks * grid.n_parts, [&](std::size_t i) {
        Cell cell(rows, queries, grid, i, execution);
        const char* isa = search(cell);
        const std::lock_guard<std::mutex> lock(mutex);
        work += {0, 0, isa};
    });
    work.candidates += rows.codes.count * queries.count;
}

}  // namespace

RadiusHits scan_radius(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                       Work& work, HitBudget& budget) {
    const Grid grid(queries.count, rows.codes, execution.n_threads, queries_per_block);
    std::vector<HitLog> found(grid.n_blocks * grid.n_parts);
    const std::size_t whole = rows.codes.count + tile_step;
    for_each_cell(rows, queries, grid, execution, work, [&](Cell& cell) {
        HitLog& hits = found[cell.block() * grid.n_parts + cell.part()];
        const std::int32_t* own = radii + cell.first_query();
        return cell.walk(
            whole, whole, [&](std::size_t q) { return static_cast<std::uint64_t>(own[q]) + 1; },
            [&](std::size_t, Hit hit) {
                budget.take();
                hits.add(hit);
            });
    });
    RadiusHits blocks(grid.n_blocks);
    execution.run(grid.n_blocks, [&](std::size_t block) {
        HitLog& hits = found[block * grid.n_parts];
        for (std::size_t part = 1; part < grid.n_parts; ++part) hits.append(found[block * grid.n_parts + part]);
        blocks[block] = in_order_of_distance(hits, std::min(grid.block_size, queries.count - block * grid.block_size),
                                             execution.stop);
        hits.free();
    });
    return blocks;
}

void scan_nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                  const NearestOutput& output, Work& work) {
    const Grid grid(queries.count, rows.codes, execution.n_threads, queries_per_block);
    std::vector<std::vector<Hit>> found(grid.n_parts > 1 ? queries.count * grid.n_parts : 0);
    const std::size_t first_step = (output.k + tile_step - 1) / tile_step * tile_step;
    for_each_cell(rows, queries, grid, execution, work, [&](Cell& cell) {
        std::vector<NearestCollector> nearest;
        nearest.reserve(cell.n_queries());
        for (std::size_t q = 0; q < cell.n_queries(); ++q)
            nearest.emplace_back(output.k, static_cast<std::uint32_t>(radii[cell.first_query() + q]));
        const char* isa = cell.walk(
            first_step, std::max(first_step, nearest_step),
            [&](std::size_t q) { return nearest[q].limit_in_row_order(); },
            [&](std::size_t q, Hit hit) {
                if (hit_distance(hit) < nearest[q].limit_in_row_order()) nearest[q].add(without_query(hit));
            });
        for (std::size_t q = 0; q < cell.n_queries(); ++q) {
            if (q) execution.stop.check();
            const std::size_t query = cell.first_query() + q;
            if (grid.n_parts == 1) output.write(query, nearest[q].take(execution.stop), execution.stop);
            else found[query * grid.n_parts + cell.part()] = nearest[q].take(execution.stop);
        }
        return isa;
    });
    for (std::size_t q = 0; grid.n_parts > 1 && q < queries.count; ++q) {
        execution.stop.check();
        std::vector<Hit>& hits = found[q * grid.n_parts];
        for (std::size_t part = 1; part < grid.n_parts; ++part)
            hits.insert(hits.end(), found[q * grid.n_parts + part].begin(), found[q * grid.n_parts + part].end());
        HitSorter(execution.stop).sort(hits.data(), hits.data() + hits.size());
        hits.resize(std::min(hits.size(), output.k));
        output.write(q, hits, execution.stop);
    }
}

}  // namespace hashindex
