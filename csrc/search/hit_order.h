// Hits brought into the total order: within a query by distance, then row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "../support/stop.h"
#include "../support/uninitialised.h"
#include "hit_log.h"
#include "results.h"

namespace hashindex {

// Sorts hits: few by comparison, many by their digits, lowest first; the digits are those of rows, then distances, that
// differ at all. Rows that ascend already, as a scan finds them, need the distances only.
class HitSorter {
public:
    explicit HitSorter(Stop& stop) : stop_(stop) {}

    void sort(Hit* begin, Hit* end) {
        const auto count = static_cast<std::size_t>(end - begin);
        if (count < least_counted) {
            std::sort(begin, end);
            return;
        }
        Hit all = 0;
        bool ascending = true;
        for_each_number(count, stop_, [&](std::size_t i) {
            all |= begin[i];
            ascending &= i == 0 || hit_row(begin[i - 1]) < hit_row(begin[i]);
        });
        if (spare_.size() < count) spare_ = UninitialisedVector<Hit>(count);
        Hit *from = begin, *to = spare_.data();
        for (unsigned shift = ascending ? row_bits : 0; shift < query_shift; shift += digit_bits) {
            if (!(all >> shift & digit_mask)) continue;
            pass(from, to, count, shift);
            std::swap(from, to);
        }
        if (from != begin) for_each_number(count, stop_, [&](std::size_t i) { begin[i] = from[i]; });
    }

private:
    static constexpr std::size_t least_counted = 64;
    static constexpr unsigned digit_bits = 8;
    static constexpr Hit digit_mask = (1u << digit_bits) - 1;
    static_assert(row_bits % digit_bits == 0);

    void pass(const Hit* from, Hit* to, std::size_t count, unsigned shift) {
        std::size_t places[digit_mask + 2] = {};
        const auto digit_of = [&](std::size_t i) { return from[i] >> shift & digit_mask; };
        for_each_number(count, stop_, [&](std::size_t i) { ++places[digit_of(i) + 1]; });
        for (std::size_t digit = 0; digit < digit_mask; ++digit) places[digit + 1] += places[digit];
        for_each_number(count, stop_, [&](std::size_t i) { to[places[digit_of(i)]++] = from[i]; });
    }

    Stop& stop_;
    UninitialisedVector<Hit> spare_;
};

// Hits of a block of queries in any order, each with its query's number, as a block in order. `found` is used up.
inline BlockHits in_order(HitLog& found, std::size_t n_queries, Stop& stop) {
    BlockHits block{std::vector<std::size_t>(n_queries + 1, 0), UninitialisedVector<Hit>(found.size())};
    found.for_each(stop, [&](Hit hit) { ++block.ends[hit_query(hit) + 1]; });
    for (std::size_t q = 0; q < n_queries; ++q) block.ends[q + 1] += block.ends[q];
    found.for_each(stop, [&](Hit hit) { block.hits[block.ends[hit_query(hit)]++] = without_query(hit); });
    block.ends.pop_back();  // filling has moved every begin to its end
    found.clear();
    HitSorter sorter(stop);
    for (std::size_t q = 0; q < n_queries; ++q) {
        const std::size_t begin = q ? block.ends[q - 1] : 0, end = block.ends[q];
        stop.check(end - begin);
        sorter.sort(block.hits.data() + begin, block.hits.data() + end);
    }
    return block;
}

// The same for hits whose rows ascend within each query, as a scan finds them: counting (query, distance) suffices.
inline BlockHits in_order_of_distance(HitLog& found, std::size_t n_queries, Stop& stop) {
    std::uint32_t farthest = 0;
    found.for_each(stop, [&](Hit hit) { farthest = std::max(farthest, hit_distance(hit)); });
    const std::size_t n_distances = farthest + std::size_t{1};
    if (found.size() < n_queries * n_distances) return in_order(found, n_queries, stop);
    std::vector<std::size_t> places(n_queries * n_distances + 1, 0);
    const auto key = [&](Hit hit) { return hit_query(hit) * n_distances + hit_distance(hit); };
    found.for_each(stop, [&](Hit hit) { ++places[key(hit) + 1]; });
    for (std::size_t i = 1; i < places.size(); ++i) places[i] += places[i - 1];
    BlockHits block{{}, UninitialisedVector<Hit>(found.size())};
    for (std::size_t q = 1; q <= n_queries; ++q) block.ends.push_back(places[q * n_distances]);
    found.for_each(stop, [&](Hit hit) { block.hits[places[key(hit)]++] = without_query(hit); });
    return block;
}

}  // namespace hashindex
