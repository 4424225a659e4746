// What searches that walk over all codes have in common: cells of a grid of (block of queries) x (part of the codes).
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include "code_runs.h"
#include "grid.h"
#include "hit_order.h"
#include "nearest_collector.h"
#include "plane_buffer.h"
#include "tile_buffer.h"

namespace hashindex {

constexpr std::size_t queries_per_cell = 128;
static_assert(queries_per_cell <= max_block_queries && queries_per_cell % query_step == 0);

// Leaves what a kernel found as it is.
struct KeepAll {
    std::size_t operator()(std::size_t, Hit*, std::size_t count, std::size_t) const { return count; }
};

// One cell of the grid: a block of queries walks over a part of the codes.
class Cell {
    static constexpr std::size_t codes_per_run = 512;
    static constexpr std::size_t bytes_per_look = std::size_t{1} << 20;  // of codes, between two looks whether to stop

public:
    Cell(const Rows& rows, const Codes& queries, const Grid& grid, std::size_t number, const Execution& execution)
        : rows_(rows),
          kernel_(execution.kernel),
          stop_(execution.stop),
          first_query_(number / grid.n_parts * grid.block_size),
          n_queries_(grid.queries_of(number / grid.n_parts)),
          begin_(grid.part_begin(number % grid.n_parts)),
          end_(grid.part_end(number % grid.n_parts)),
          padded_((n_queries_ + query_step - 1) / query_step * query_step),
          words_(words_of(queries, first_query_, n_queries_, padded_)) {}

    std::size_t first_query() const { return first_query_; }
    std::size_t n_queries() const { return n_queries_; }
    std::size_t size() const { return n_queries_ * (end_ - begin_); }
    std::size_t begin() const { return begin_; }
    std::size_t end() const { return end_; }

    // Leaves of the codes [begin, end).
    void keep(std::size_t begin, std::size_t end) {
        begin_ = begin;
        end_ = end;
    }

    // Calls collect(query in the block, hit) for every row below its query's limit, which is asked for again after each
    // of its hits and used from the next step on. Before that sift(first query, hits, how many, first row) may change
    // or drop the hits of a step, whose queries and rows count from there; it returns how many are left. Steps double
    // from `first_step` to `most_step` codes, so that limits which shrink with the hits do so before many codes have
    // met them, and grow on with a sixteenth of what was seen: that much more moves few limits.
    template <class LimitOf, class Collect, class Sift = KeepAll>
    const char* walk(std::size_t first_step, std::size_t most_step, LimitOf limit_of, Collect collect,
                     Sift sift = Sift()) {
        if (n_queries_ <= Grid::most_lone_queries)
            return walk_runs(std::min(first_step, codes_per_run), limit_of, collect, sift);
        std::size_t at = begin_ + CodeRuns::unsettled(first_step, end_ - begin_, kernel_);
        if (CodeRuns::pays(rows_.codes, end_ - at, n_queries_, kernel_)) {
            if (at > begin_) walk_unturned(begin_, at, first_step, most_step, limit_of, collect, sift);
            AlignedBuffer<std::uint16_t> keys(padded_ * slice_keys(rows_.codes.code_size));
            kernel_.make_slice_keys(words_.data(), rows_.codes.code_size, padded_, keys.data());
            const char* const isa = walk_tiles(
                CodeRuns(rows_.codes, kernel_), at, end_, std::max(first_step, most_step), most_step,
                CodeRuns::codes_per_hit,
                [&](const CodeRun& run, const std::uint64_t* limits, Hit* hits) {
                    return kernel_.within_slices(run, {keys.data(), words_.data(), limits, padded_}, hits);
                },
                limit_of, collect, sift);
            return at == end_ ? isa : walk_unturned(at, end_, most_step, most_step, limit_of, collect, sift);
        }
        if (PlaneBuffer::pays(rows_.codes, end_ - begin_, n_queries_, kernel_)) {
            AlignedBuffer<unsigned char> keys(padded_ * kernel_.planes_per_byte * rows_.codes.code_size);
            kernel_.make_keys(words_.data(), rows_.codes.code_size, padded_, keys.data());
            at = begin_;
            return walk_tiles(
                PlaneBuffer(rows_.codes, kernel_), at, end_, first_step, most_step, 0,
                [&](const PlaneTile& tile, const std::uint64_t* limits, Hit* hits) {
                    return kernel_.within_planes(tile, {keys.data(), limits, padded_}, hits);
                },
                limit_of, collect, sift);
        }
        return walk_unturned(begin_, end_, first_step, most_step, limit_of, collect, sift);
    }

private:
    template <class LimitOf, class Collect, class Sift>
    const char* walk_runs(std::size_t step, LimitOf limit_of, Collect collect, Sift& sift) {
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
                const std::size_t n_left = sift(q, hits, found.count, first);
                for (std::size_t i = 0; i < n_left; ++i)
                    if (rows_.has(first + hit_row(hits[i])))
                        collect(q, std::uint64_t{q} << query_shift | (hits[i] + first));
            }
        }
        return isa;
    }

    template <class LimitOf, class Collect, class Sift>
    const char* walk_unturned(std::size_t begin, std::size_t end, std::size_t step, std::size_t most_step,
                              LimitOf limit_of, Collect collect, Sift& sift) {
        return walk_tiles(
            TileBuffer(rows_.codes, padded_, kernel_), begin, end, step, most_step, 0,
            [&](const Tile& tile, const std::uint64_t* limits, Hit* hits) {
                return kernel_.within(tile, {words_.data(), limits, padded_}, hits);
            },
            limit_of, collect, sift);
    }

    // Goes on from `first`, which it sets to where it stops: at the end, or before it where more than one meeting of a
    // code and a query in codes_per_hit is a hit (0: never).
    template <class Buffer, class Within, class LimitOf, class Collect, class Sift>
    const char* walk_tiles(Buffer buffer, std::size_t& first, std::size_t end, std::size_t step, std::size_t most_step,
                           std::size_t codes_per_hit, Within within, LimitOf limit_of, Collect collect, Sift& sift) {
        AlignedBuffer<Hit> hits(buffer.capacity() * padded_);
        std::vector<std::uint64_t> limits(padded_, 0);
        const char* isa = nullptr;
        for (std::size_t q = 0; q < n_queries_; ++q) limits[q] = limit_of(q);
        std::size_t n_found = 0, n_met = 0;
        while (first < end && n_found * codes_per_hit <= n_met) {
            stop_.check();
            const std::size_t most = codes_per_hit && !n_met ? buffer.capacity() / 8 : buffer.capacity();
            const auto tile = buffer.run(first, std::min(most, end - first));
            for (std::size_t done = 0; done < tile.n_codes;) {
                const auto part = tile.part(done, step);
                const Found found = within(part, limits.data(), hits.data());
                isa = found.isa;
                n_found += found.count;
                const std::size_t n_left = sift(0, hits.data(), found.count, first + done);
                for (std::size_t i = 0; i < n_left; ++i) {
                    const Hit hit = hits[i] + first + done;
                    const std::size_t q = hit_query(hit);
                    if (!rows_.has(hit_row(hit))) continue;
                    collect(q, hit);
                    limits[q] = limit_of(q);
                }
                done += part.n_codes;
                const std::size_t seen = first + done - begin_, sixteenth = seen / 16 / most_step * most_step;
                step = std::min(2 * step, std::max(most_step, sixteenth));
            }
            first += tile.n_codes;
            n_met += tile.n_codes * n_queries_;
        }
        return isa;
    }

    const Rows& rows_;
    const Kernel& kernel_;
    Stop& stop_;
    std::size_t first_query_, n_queries_, begin_, end_, padded_;
    std::vector<std::uint64_t> words_;
};

// All rows within radii[q] of each query q: by search(number, limit_of, collect) of every cell, in parallel, which
// collects by ascending rows and returns its work.
template <class Search>
RadiusHits radius_by_cells(const Grid& grid, const std::int32_t* radii, const Execution& execution, Work& work,
                           HitBudget& budget, Search search) {
    std::vector<HitLog> found(grid.n_blocks * grid.n_parts);
    std::mutex mutex;
    execution.run(found.size(), [&](std::size_t number) {
        HitLog& hits = found[number];
        HitBudget::Share share(budget);
        const std::int32_t* own = radii + number / grid.n_parts * grid.block_size;
        const Work done = search(
            number, [&](std::size_t q) { return static_cast<std::uint64_t>(own[q]) + 1; },
            [&](std::size_t, Hit hit) {
                share.take();
                hits.add(hit);
            });
        const std::lock_guard<std::mutex> lock(mutex);
        work += done;
    });
    RadiusHits blocks(grid.n_blocks);
    execution.run(grid.n_blocks, [&](std::size_t block) {
        HitLog& hits = found[block * grid.n_parts];
        for (std::size_t part = 1; part < grid.n_parts; ++part) hits.append(found[block * grid.n_parts + part]);
        blocks[block] = in_order_of_distance(hits, grid.queries_of(block), execution.stop);
        hits.free();
    });
    return blocks;
}

// The k nearest rows of each query q within radii[q]: as radius_by_cells().
template <class Search>
void nearest_by_cells(const Grid& grid, const std::int32_t* radii, const Execution& execution,
                      const NearestOutput& output, Work& work, Search search) {
    std::vector<std::vector<Hit>> found(grid.n_parts > 1 ? grid.n_queries * grid.n_parts : 0);
    std::mutex mutex;
    execution.run(grid.n_blocks * grid.n_parts, [&](std::size_t number) {
        const std::size_t block = number / grid.n_parts, part = number % grid.n_parts;
        const std::size_t first = block * grid.block_size, count = grid.queries_of(block);
        std::vector<NearestCollector> nearest;
        nearest.reserve(count);
        for (std::size_t q = 0; q < count; ++q)
            nearest.emplace_back(output.k, static_cast<std::uint32_t>(radii[first + q]));
        const Work done = search(
            number, [&](std::size_t q) { return nearest[q].limit_in_row_order(); },
            [&](std::size_t q, Hit hit) {
                if (hit_distance(hit) < nearest[q].limit_in_row_order()) nearest[q].add(without_query(hit));
            });
        for (std::size_t q = 0; q < count; ++q) {
            const std::vector<Hit>& hits = nearest[q].take(execution.stop);
            if (grid.n_parts == 1) output.write(first + q, hits, execution.stop);
            else found[(first + q) * grid.n_parts + part] = hits;
        }
        const std::lock_guard<std::mutex> lock(mutex);
        work += done;
    });
    for (std::size_t q = 0; grid.n_parts > 1 && q < grid.n_queries; ++q) {
        std::vector<Hit>& hits = found[q * grid.n_parts];
        for (std::size_t part = 1; part < grid.n_parts; ++part)
            hits.insert(hits.end(), found[q * grid.n_parts + part].begin(), found[q * grid.n_parts + part].end());
        execution.stop.check(hits.size());
        HitSorter(execution.stop).sort(hits.data(), hits.data() + hits.size());
        hits.resize(std::min(hits.size(), output.k));
        output.write(q, hits, execution.stop);
    }
}

}  // namespace hashindex
