#include "multi_index.h"

#include <algorithm>
#include <atomic>

#include "nearest_collector.h"
#include "prober.h"

namespace hashindex {
namespace {

constexpr std::size_t queries_per_block = 32;

// Calls block(first query, behind the last query) for blocks of the queries, in parallel.
template <class Block>
void for_each_block(const Codes& queries, const Execution& execution, Block block) {
    const std::size_t n_blocks = (queries.count + queries_per_block - 1) / queries_per_block;
    execution.pool.run(n_blocks, execution.n_threads, [&](std::size_t i) {
        block(i * queries_per_block, std::min(queries.count, (i + 1) * queries_per_block));
    });
}

}  // namespace

std::uint32_t read_key(const unsigned char* code, std::int32_t start, std::int32_t width) {
    const std::int32_t first = start / 8, last = (start + width - 1) / 8;  // 5 bytes at most
    std::uint64_t bits = 0;
    for (std::int32_t byte = first; byte <= last; ++byte) bits = bits << 8 | code[byte];
    return static_cast<std::uint32_t>(bits >> (8 * (last + 1) - start - width) & ((std::uint64_t{1} << width) - 1));
}

void build_tables(const Codes& codes, const Tables& layout, std::uint32_t* offsets, std::uint32_t* rows,
                  const Execution& execution) {
    std::vector<std::size_t> first_offsets(layout.n_tables + 1, 0);
    for (std::size_t t = 0; t < layout.n_tables; ++t)
        first_offsets[t + 1] = first_offsets[t] + (std::size_t{1} << layout.widths[t]) + 1;
    execution.pool.run(layout.n_tables, execution.n_threads, [&](std::size_t t) {
        const std::size_t n_keys = std::size_t{1} << layout.widths[t];
        std::uint32_t* ends = offsets + first_offsets[t];
        std::fill_n(ends, n_keys + 1, 0u);
        std::vector<std::uint32_t> keys(codes.count);
        for (std::size_t i = 0; i < codes.count; ++i) {
            keys[i] = read_key(codes.row(i), layout.starts[t], layout.widths[t]);
            ++ends[keys[i] + 1];
        }
        for (std::size_t key = 0; key < n_keys; ++key) ends[key + 1] += ends[key];
        std::vector<std::uint32_t> next(ends, ends + n_keys);
        for (std::size_t i = 0; i < codes.count; ++i)
            rows[t * codes.count + next[keys[i]]++] = static_cast<std::uint32_t>(i);
    });
}

Prober::Prober(const Codes& codes, const Tables& tables, const Kernel& kernel)
    : codes_(codes),
      tables_(tables),
      kernel_(kernel),
      buffer_(codes),
      candidates_(buffer_.capacity()),
      hits_(buffer_.capacity()),
      keys_(tables.n_tables) {
    std::size_t first = 0;
    for (std::size_t t = 0; t < tables.n_tables; ++t) {
        first_offsets_.push_back(first);
        first += (std::size_t{1} << tables.widths[t]) + 1;
    }
}

void Prober::start(const unsigned char* query, const std::uint64_t* query_words) {
    query_words_ = query_words;
    for (std::size_t t = 0; t < tables_.n_tables; ++t) keys_[t] = read_key(query, tables_.starts[t], tables_.widths[t]);
}

bool Prober::seen_elsewhere(std::size_t t, std::size_t row, const std::int32_t* shown) const {
    for (std::size_t u = 0; u < tables_.n_tables; ++u) {
        if (u == t || shown[u] < 0) continue;
        const std::uint32_t key = read_key(codes_.row(row), tables_.starts[u], tables_.widths[u]);
        if (__builtin_popcount(key ^ keys_[u]) <= shown[u]) return true;
    }
    return false;
}

std::uint64_t Prober::shell_size(std::int32_t width, int flips) {
    std::uint64_t size = 1;  // width <= 30: no overflow
    for (int i = 0; i < flips; ++i) size = size * static_cast<std::uint64_t>(width - i) / static_cast<std::uint64_t>(i + 1);
    return size;
}

RadiusHits probe_radius(const Codes& codes, const Tables& tables, const Codes& queries, std::uint32_t radius,
                        const std::int32_t* thresholds, const Execution& execution, const char*& isa) {
    const std::vector<std::uint64_t> words = all_words(queries);
    RadiusHits found(queries.count);
    std::atomic<const char*> ran{nullptr};
    for_each_block(queries, execution, [&](std::size_t begin, std::size_t end) {
        Prober prober(codes, tables, execution.kernel);
        std::vector<std::int32_t> shown(tables.n_tables);
        for (std::size_t q = begin; q < end; ++q) {
            prober.start(queries.row(q), words.data() + q * queries.n_words());
            std::fill(shown.begin(), shown.end(), -1);
            for (std::size_t t = 0; t < tables.n_tables; ++t) {
                for (int flips = 0; flips <= thresholds[t]; ++flips)
                    prober.shell(t, flips, shown.data(), [&] { return radius; },
                                 [&](Hit hit) { found[q].push_back(hit); });
                shown[t] = thresholds[t];
            }
            std::sort(found[q].begin(), found[q].end());
        }
        if (prober.isa()) ran = prober.isa();
    });
    isa = ran;
    return found;
}

void probe_nearest(const Codes& codes, const Tables& tables, const Codes& queries, std::uint32_t radius,
                   const Execution& execution, const NearestOutput& output, const char*& isa) {
    const std::vector<std::uint64_t> words = all_words(queries);
    std::atomic<const char*> ran{nullptr};
    for_each_block(queries, execution, [&](std::size_t begin, std::size_t end) {
        Prober prober(codes, tables, execution.kernel);
        NearestCollector nearest(output.k, radius);
        std::vector<std::int32_t> shown(tables.n_tables);
        for (std::size_t q = begin; q < end; ++q) {
            prober.start(queries.row(q), words.data() + q * queries.n_words());
            nearest.start();
            std::fill(shown.begin(), shown.end(), -1);
            // Pigeonhole: with shown[t] + 1 = s_t shells done, every code within sum(s_t) - 1 has been shown. Widen
            // the cheapest table until that covers the k-th distance (or the radius asked for), or a whole table.
            for (std::int64_t covered = -1; covered < std::int64_t{nearest.radius()}; ++covered) {
                std::size_t next = 0;
                for (std::size_t t = 1; t < tables.n_tables; ++t)
                    if (Prober::shell_size(tables.widths[t], shown[t] + 1) <
                        Prober::shell_size(tables.widths[next], shown[next] + 1))
                        next = t;
                prober.shell(next, shown[next] + 1, shown.data(), [&] { return nearest.radius(); },
                             [&](Hit hit) {
                                 if (hit_distance(hit) <= nearest.radius()) nearest.add(hit);
                             });
                if (++shown[next] == tables.widths[next]) break;
            }
            output.write(q, nearest.take());
        }
        if (prober.isa()) ran = prober.isa();
    });
    isa = ran;
}

}  // namespace hashindex
