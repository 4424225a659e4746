// Found rows as matches with ids: equal codes spread over the rows that hold them, and parts merged.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

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
                    std::vector<Match>& matches) {
    if (!part.starts) {
        for (std::size_t i = 0; i < std::min(count, most); ++i) matches.push_back({distance(i), part.id_of(place(i))});
        return;
    }
    const std::size_t before = matches.size();
    // Rows of several codes at one distance must be sorted; those of one code are. Of each the first `most` suffice.
    for (std::size_t i = 0, last; i < count && most; i = last) {
        const std::size_t first = matches.size();
        for (last = i; last < count && distance(last) == distance(i); ++last) {
            const Part::Run held = part.held(place(last));
            const std::size_t n = std::min(most, part.n_rows - (matches.size() - before));
            for (std::size_t at = held.begin, taken = 0; at < held.end && taken < n; ++at) {
                if (part.is_lost(at)) continue;
                matches.push_back({distance(i), part.id_of(part.holder(at))});
                ++taken;
            }
        }
        if (last > i + 1) std::sort(matches.begin() + static_cast<std::ptrdiff_t>(first), matches.end());
        if (matches.size() - first > most) matches.resize(first + most);
        most -= matches.size() - first;
    }
}

// Merges the matches from `middle` on, sorted, with those before, sorted too.
inline void merge_from(std::size_t middle, std::vector<Match>& matches) {
    std::inplace_merge(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(middle), matches.end());
}

}  // namespace hashindex
