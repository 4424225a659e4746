#include "count.h"

#include <algorithm>
#include <mutex>
#include <numeric>

#include "grid.h"
#include "tile_buffer.h"

namespace hashindex {
namespace {

constexpr std::size_t codes_per_step = 1024;               // their zones, 8 KB per kind of label, stay in the L1 cache
constexpr std::size_t block_bytes = std::size_t{1} << 20;  // of counters, which stay in the L2 cache

// A key is a distance in one of three zones: that of irrelevant codes, of relevant ones, or of what fills up a group.
enum Zone : std::size_t { irrelevant, relevant, outside, n_zones };

std::size_t zone_size(const Codes& codes) { return 64 * codes.n_words() + 1; }  // what fills up may be any words

std::size_t counters_per_query(const Codes& codes) { return n_zones * zone_size(codes) * count_lanes; }

std::size_t queries_per_block(const Codes& codes) {
    const std::size_t fitting = block_bytes / (sizeof(std::uint32_t) * counters_per_query(codes));
    return std::clamp(fitting / query_step * query_step, query_step, max_block_queries);
}

// A block of queries with like labels beside each other, and what it counts in a part of the codes.
class Counter {
public:
    Counter(const Codes& codes, const Codes& queries, const Relevance& relevance, const std::size_t* order,
            std::size_t n_queries, const Execution& execution)
        : codes_(codes),
          relevance_(relevance),
          order_(order),
          n_queries_(n_queries),
          padded_((n_queries + query_step - 1) / query_step * query_step),
          kernel_(execution.kernel),
          stop_(execution.stop),
          words_(padded_ * codes.n_words()),
          counters_(padded_ * counters_per_query(codes)),
          zones_(query_step * codes_per_step) {
        for (std::size_t q = 0; q < n_queries; ++q)
            read_words(queries.row(order[q]), codes.code_size, words_.data() + q * codes.n_words(), 1);
    }

    // Counts codes [begin, end); returns the ISA that ran.
    const char* walk(std::size_t begin, std::size_t end) {
        TileBuffer buffer(codes_, padded_, kernel_);
        const char* isa = nullptr;
        for (std::size_t first = begin, count = 0; first < end; first += count) {
            stop_.check();
            const Tile tile = buffer.run(first, std::min(buffer.capacity(), end - first));
            count = tile.n_codes;
            for (std::size_t done = 0; done < count; done += codes_per_step)
                isa = step(tile.part(done, codes_per_step), first + done);
        }
        return isa;
    }

    // Adds what was counted to `counts`, as in count_distances.
    void add_to(std::int64_t* counts, std::size_t all_queries) const {
        const std::size_t n_distances = 8 * codes_.code_size + 1;
        for (std::size_t q = 0; q < n_queries_; ++q) {
            const std::uint32_t* counters = counters_.data() + q * counters_per_query(codes_);
            std::int64_t* items = counts + order_[q] * n_distances;
            std::int64_t* hits = items + all_queries * n_distances;
            for (std::size_t distance = 0; distance < n_distances; ++distance) {
                const std::int64_t n_relevant = sum(counters, relevant, distance);
                items[distance] += sum(counters, irrelevant, distance) + n_relevant;
                hits[distance] += n_relevant;
            }
        }
    }

private:
    const char* step(const Tile& tile, std::size_t first) {
        const char* isa = nullptr;
        const std::uint64_t* zones[query_step];
        std::uint32_t* counters[query_step];
        std::size_t slot = 0;  // in turn: one that an earlier query of the pass uses is never overwritten
        for (std::size_t pass = 0; pass < padded_; pass += query_step) {
            for (std::size_t i = 0; i < query_step; ++i) {
                const std::size_t q = pass + i;
                counters[i] = counters_.data() + q * counters_per_query(codes_);
                if (q < n_queries_ && (q == 0 || !same_label(order_[q - 1], order_[q]))) {
                    slot = (slot + 1) % query_step;
                    mark(order_[q], first, tile.n_codes, zones_.data() + slot * codes_per_step);
                }
                zones[i] = zones_.data() + slot * codes_per_step;
            }
            isa = kernel_.count(tile, words_.data() + pass * codes_.n_words(), zones, counters).isa;
        }
        return isa;
    }

    // Writes the zone of codes [first, first + count) for a query, and of the rest of the last group.
    void mark(std::size_t query, std::size_t first, std::size_t count, std::uint64_t* zones) const {
        const std::uint32_t* wanted = relevance_.queries + query * relevance_.n_words;
        const std::uint32_t* items = relevance_.items + first;
        const std::size_t size = zone_size(codes_), group_end = (count + tile_step - 1) / tile_step * tile_step;
        const LabelRun run{items, codes_.count, count, relevance_.n_words, relevance_.shared};
        kernel_.mark(run, wanted, size * irrelevant, size * relevant, zones);
        std::fill(zones + count, zones + group_end, size * outside);
    }

    bool same_label(std::size_t a, std::size_t b) const {
        const std::uint32_t* labels = relevance_.queries;
        const std::size_t n = relevance_.n_words;
        return std::equal(labels + a * n, labels + (a + 1) * n, labels + b * n);
    }

    std::int64_t sum(const std::uint32_t* counters, Zone zone, std::size_t distance) const {
        const std::uint32_t* lanes = counters + count_lanes * (zone * zone_size(codes_) + distance);
        return std::accumulate(lanes, lanes + count_lanes, std::int64_t{0});
    }

    const Codes codes_;
    const Relevance relevance_;
    const std::size_t* order_;
    const std::size_t n_queries_, padded_;
    const Kernel& kernel_;
    Stop& stop_;
    std::vector<std::uint64_t> words_;
    std::vector<std::uint32_t> counters_;
    std::vector<std::uint64_t> zones_;
};

}  // namespace

void count_distances(const Codes& codes, const Codes& queries, const Relevance& relevance, const Execution& execution,
                     std::int64_t* counts, Work& work) {
    std::fill_n(counts, 2 * queries.count * (8 * codes.code_size + 1), std::int64_t{0});
    std::vector<std::size_t> order(queries.count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const std::uint32_t* labels = relevance.queries;
        const std::size_t n = relevance.n_words;
        return std::lexicographical_compare(labels + a * n, labels + (a + 1) * n, labels + b * n, labels + (b + 1) * n);
    });
    const Grid grid(queries.count, codes, execution.n_threads, queries_per_block(codes));
    std::mutex mutex;
    execution.run(grid.n_blocks * grid.n_parts, [&](std::size_t cell) {
        const std::size_t part = cell % grid.n_parts, first = cell / grid.n_parts * grid.block_size;
        Counter counter(codes, queries, relevance, order.data() + first,
                        std::min(grid.block_size, queries.count - first), execution);
        const char* isa = counter.walk(grid.part_begin(part), grid.part_end(part));
        const std::lock_guard<std::mutex> lock(mutex);
        counter.add_to(counts, queries.count);
        work += {0, 0, isa};
    });
    work.candidates += codes.count * queries.count;
}

}  // namespace hashindex
