// A block of queries on its way through the buckets of the tables. Memory is touched in stages over a group of lookups,
// each stage asking for what the next one reads: offsets, then copies, then rows; or, without copies, offsets, then
// rows, whose codes the kernel asks for. Offsets and rows may come from a map of a file that nobody has read yet: they
// are kept within the arrays, whatever they are.
#pragma once

#include <array>
#include <numeric>

#include "results.h"
#include "tables.h"

namespace hashindex {

class Prober {
public:
    // Queries [first, first + count) of `queries`.
    Prober(const Rows& rows, const Tables& tables, const Codes& queries, std::size_t first, std::size_t count,
           const Execution& execution);

    // Asks memory for what shell() will read for a few queries within `thresholds` flips, in the same stages over all
    // tables: a lone query's shell is too small to hide how long memory takes. Does nothing where that is not worth it.
    void ask(const std::int32_t* thresholds);

    // Looks into the buckets of table t whose key differs from the query's in exactly `flips` bits, for each of the
    // `active` queries. Calls collect(query, hit) once for every row at a distance below limits[query] that no table
    // has shown before, where table u has shown the rows whose key is within shown[u] flips.
    template <class Collect>
    void shell(std::size_t t, std::int32_t flips, const std::int32_t* shown, const std::vector<std::uint32_t>& active,
               Collect collect);

    std::vector<std::uint64_t> limits;  // collect() may lower them
    Work work;

private:
    struct Flipped {
        std::int32_t width = -1, flips = -1;
        std::vector<std::uint32_t> numbers;
    };

    static constexpr std::size_t group_size = 128, most_candidates = 1024, filter_slack = 8;

    // Every number of `width` bits of which exactly `flips` are set; valid until the next call.
    const std::vector<std::uint32_t>& flipped(std::int32_t width, std::int32_t flips);

    // Turns the lookups gathered into buckets that are not empty.
    std::size_t read_offsets(std::size_t t, std::size_t n_lookups);

    // Candidates of the buckets that are near enough and new, as rows, with their distances; returns how many.
    std::size_t verify(std::size_t t, const Bucket* buckets, std::size_t n_buckets, const std::int32_t* shown);
    std::size_t verify_copies(std::size_t t, const Bucket* buckets, std::size_t n_buckets, const std::int32_t* shown);

    template <class Collect>
    void visit(std::size_t t, std::size_t n_lookups, const std::int32_t* shown, Collect collect);

    const Rows& rows_;
    const Tables& tables_;
    const Kernel& kernel_;
    Stop& stop_;
    const std::vector<std::size_t> first_offsets_;
    std::size_t n_queries_;
    std::vector<std::uint64_t> words_;  // of the queries
    std::vector<std::uint64_t> masks_;  // of the tables
    std::vector<std::uint32_t> keys_;   // per table and query
    std::array<Flipped, 4> flipped_;    // by flips, the last for all larger
    // Room that is not worth an allocation each: of small segments a search takes about a microsecond.
    Bucket buckets_[group_size];  // of a group; begin = the key at first
    alignas(64) Candidate candidates_[most_candidates + filter_slack];
    alignas(64) std::uint32_t distances_[most_candidates + filter_slack];
};

template <class Collect>
void Prober::shell(std::size_t t, std::int32_t flips, const std::int32_t* shown,
                   const std::vector<std::uint32_t>& active, Collect collect) {
    const std::uint32_t* offsets = tables_.offsets + first_offsets_[t];
    const std::vector<std::uint32_t>& masks = flipped(tables_.widths[t], flips);
    work.lookups += masks.size() * active.size();
    std::size_t n = 0;
    for (const std::uint32_t q : active) {
        const std::uint32_t key = keys_[t * n_queries_ + q];
        for (const std::uint32_t mask : masks) {
            __builtin_prefetch(offsets + (key ^ mask));
            buckets_[n] = {key ^ mask, 0, q};
            if (++n < group_size) continue;
            visit(t, n, shown, collect);
            n = 0;
        }
    }
    visit(t, n, shown, collect);
}

template <class Collect>
void Prober::visit(std::size_t t, std::size_t n_lookups, const std::int32_t* shown, Collect collect) {
    stop_.check(n_lookups);
    const std::size_t n_buckets = read_offsets(t, n_lookups);
    // Whole buckets as long as their places fit, larger ones in parts.
    for (std::size_t b = 0; b < n_buckets;) {
        std::size_t last = b, n_places = 0;
        while (last < n_buckets && n_places + (buckets_[last].end - buckets_[last].begin) <= most_candidates) {
            n_places += buckets_[last].end - buckets_[last].begin;
            ++last;
        }
        Bucket whole{};
        if (last == b) {
            whole = buckets_[b];
            buckets_[b].end = whole.begin + static_cast<std::uint32_t>(most_candidates);
            last = b + 1;
        }
        stop_.check(whole.end ? most_candidates : n_places);
        const std::size_t count = t < tables_.n_copied ? verify_copies(t, buckets_ + b, last - b, shown)
                                                       : verify(t, buckets_ + b, last - b, shown);
        for (std::size_t i = 0; i < count; ++i)
            if (distances_[i] < limits[candidates_[i].query])
                collect(candidates_[i].query, make_hit(distances_[i], candidates_[i].place));
        if (whole.end) {
            buckets_[b] = whole;
            buckets_[b].begin += static_cast<std::uint32_t>(most_candidates);
        } else {
            b = last;
        }
    }
}

}  // namespace hashindex
