#include "scan.h"

#include <algorithm>
#include <atomic>

#include "nearest_collector.h"
#include "tile_buffer.h"

namespace hashindex {
namespace {

constexpr std::size_t queries_per_block = 64;
constexpr std::size_t least_codes_per_part = 16384;

// The work as a grid of (block of queries) x (part of the codes). Codes are split only where there are fewer blocks
// than threads.
struct Grid {
    std::size_t n_queries, n_codes, n_blocks, n_parts;

    Grid(std::size_t queries, std::size_t codes, std::size_t n_threads)
        : n_queries(queries), n_codes(codes), n_blocks((queries + queries_per_block - 1) / queries_per_block) {
        const std::size_t wanted = n_blocks >= n_threads ? 1 : (n_threads + n_blocks - 1) / std::max<std::size_t>(n_blocks, 1);
        n_parts = std::max<std::size_t>(1, std::min(wanted, codes / least_codes_per_part));
    }

    std::size_t n_cells() const { return n_blocks * n_parts; }
    std::size_t part_begin(std::size_t part) const { return n_codes / n_parts * part; }
    std::size_t part_end(std::size_t part) const { return part + 1 == n_parts ? n_codes : part_begin(part + 1); }
};

// Walks the tiles of one part of the codes with one block of queries. `collect(query in block, hit)` gets every hit
// within `radius_of(query in block)`; a negative radius skips the query. The first tile is taken in steps that double
// from `first_step` codes, so that a radius that shrinks with the hits does so before many codes have met it.
template <class RadiusOf, class Collect>
void walk(const Codes& codes, const std::uint64_t* query_words, std::size_t n_queries, std::size_t begin,
          std::size_t end, std::size_t first_step, const Kernel& kernel, std::atomic<const char*>& isa,
          RadiusOf radius_of, Collect collect) {
    TileBuffer buffer(codes);
    std::vector<Hit> hits(buffer.capacity());
    for (std::size_t first = begin; first < end; first += buffer.capacity()) {
        const Tile tile = buffer.run(first, std::min(buffer.capacity(), end - first));
        for (std::size_t q = 0; q < n_queries; ++q) {
            std::size_t step = first == begin ? first_step : tile.n_codes;
            for (std::size_t done = 0; done < tile.n_codes; done += step, step *= 2) {
                const std::int64_t radius = radius_of(q);
                if (radius < 0) break;
                const Found found = kernel.within(tile.part(done, step), query_words + q * tile.n_words,
                                                  static_cast<std::uint32_t>(radius), hits.data());
                for (std::size_t i = 0; i < found.count; ++i) collect(q, hits[i] + first + done);
                isa.store(found.isa, std::memory_order_relaxed);
            }
        }
    }
}

// Calls cell(part, first query, number of queries, part begin, part end) for every cell of the grid, in parallel.
template <class Cell>
void for_each_cell(const Grid& grid, const Execution& execution, Cell cell) {
    execution.pool.run(grid.n_cells(), execution.n_threads, [&](std::size_t i) {
        const std::size_t part = i % grid.n_parts, first = i / grid.n_parts * queries_per_block;
        cell(part, first, std::min(queries_per_block, grid.n_queries - first), grid.part_begin(part),
             grid.part_end(part));
    });
}

}  // namespace

RadiusHits scan_radius(const Codes& codes, const Codes& queries, std::uint32_t radius, const Execution& execution,
                       const char*& isa) {
    const Grid grid(queries.count, codes.count, execution.n_threads);
    const std::vector<std::uint64_t> words = all_words(queries);
    std::vector<RadiusHits> found(grid.n_parts, RadiusHits(queries.count));
    std::atomic<const char*> ran{nullptr};
    for_each_cell(grid, execution, [&](std::size_t part, std::size_t first, std::size_t n, std::size_t begin, std::size_t end) {
        std::vector<Hit>* rows = found[part].data() + first;
        walk(codes, words.data() + first * queries.n_words(), n, begin, end, codes.count, execution.kernel, ran,
             [&](std::size_t) { return std::int64_t{radius}; },
             [&](std::size_t q, Hit hit) { rows[q].push_back(hit); });
        for (std::size_t q = 0; q < n; ++q) std::sort(rows[q].begin(), rows[q].end());
    });
    RadiusHits& merged = found[0];
    for (std::size_t part = 1; part < grid.n_parts; ++part) {
        for (std::size_t q = 0; q < queries.count; ++q) {
            const auto middle = static_cast<std::ptrdiff_t>(merged[q].size());
            merged[q].insert(merged[q].end(), found[part][q].begin(), found[part][q].end());
            std::inplace_merge(merged[q].begin(), merged[q].begin() + middle, merged[q].end());
        }
    }
    isa = ran;
    return std::move(merged);
}

void scan_nearest(const Codes& codes, const Codes& queries, std::uint32_t radius, const Execution& execution,
                  const NearestOutput& output, const char*& isa) {
    const Grid grid(queries.count, codes.count, execution.n_threads);
    const std::vector<std::uint64_t> words = all_words(queries);
    std::vector<RadiusHits> found(grid.n_parts, RadiusHits(queries.count));
    std::atomic<const char*> ran{nullptr};
    for_each_cell(grid, execution, [&](std::size_t part, std::size_t first, std::size_t n, std::size_t begin, std::size_t end) {
        std::vector<NearestCollector> collectors(n, NearestCollector(output.k, radius));
        const std::size_t first_step = (output.k + tile_step - 1) / tile_step * tile_step;
        walk(codes, words.data() + first * queries.n_words(), n, begin, end, first_step, execution.kernel, ran,
             [&](std::size_t q) { return collectors[q].radius_in_row_order(); },
             [&](std::size_t q, Hit hit) {
                 if (hit_distance(hit) <= collectors[q].radius_in_row_order()) collectors[q].add(hit);
             });
        for (std::size_t q = 0; q < n; ++q) found[part][first + q] = collectors[q].take();
    });
    for (std::size_t q = 0; q < queries.count; ++q) {
        std::vector<Hit>& hits = found[0][q];
        for (std::size_t part = 1; part < grid.n_parts; ++part)
            hits.insert(hits.end(), found[part][q].begin(), found[part][q].end());
        std::sort(hits.begin(), hits.end());
        hits.resize(std::min(hits.size(), output.k));
        output.write(q, hits);
    }
    isa = ran;
}

}  // namespace hashindex
