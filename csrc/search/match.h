// Found rows as matches with ids: equal codes spread over the rows that hold them, and parts merged.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hit_order.h"
#include "part.h"

namespace hashindex {

// In the total order of the library.
struct Match {
    std::int32_t distance;
    std::int64_t id;

    bool operator<(const Match& other) const {
        return distance < other.distance || (distance == other.distance && id < other.id);
    }
};

// Appends the matches of found places, `count` of them in order, `distance(i)` and `place(i)` each: at most `most`.
template <class DistanceOf, class PlaceOf>
void append_matches(const Part& part, std::size_t count, DistanceOf distance, PlaceOf place, std::size_t most,
                    std::vector<Match>& matches, Stop& stop) {
    if (!part.starts) {
        for_each_number(std::min(count, most), stop,
                        [&](std::size_t i) { matches.push_back({distance(i), part.id_of(place(i))}); });
        return;
    }
    most = std::min(most, part.n_rows);
    std::vector<Hit> rows;  // of the codes at one distance
    HitSorter sorter(stop);
    for (std::size_t i = 0, last; i < count && most; i = last) {
        rows.clear();
        for (last = i; last < count && distance(last) == distance(i) && rows.size() < part.n_rows; ++last)
            part.add_holders(place(last), most, rows, stop);
        // Rows of several codes must be sorted; those of one are. Of each the first `most` suffice.
        if (last > i + 1) sorter.sort(rows.data(), rows.data() + rows.size());
        const std::size_t n = std::min(rows.size(), most);
        for_each_number(n, stop, [&](std::size_t j) { matches.push_back({distance(i), part.id_of(rows[j])}); });
        most -= n;
    }
}

// Merges the matches from `middle` on, sorted, with those before, sorted too.
inline void merge_from(std::size_t middle, std::vector<Match>& matches, Stop& stop) {
    const std::size_t count = matches.size();
    if (middle == 0 || middle == count || matches[middle - 1] < matches[middle]) return;
    std::vector<Match> merged(count);
    std::size_t left = 0, right = middle;
    for_each_number(count, stop, [&](std::size_t i) {
        const bool is_left = right == count || (left < middle && matches[left] < matches[right]);
        merged[i] = matches[is_left ? left++ : right++];
    });
    matches = std::move(merged);
}

}  // namespace hashindex
