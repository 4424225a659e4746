// One part of an index as the caller knows it: rows that hold codes, under ids.
#pragma once

#include <algorithm>
#include <vector>

#include "../support/stop.h"
#include "codes.h"

namespace hashindex {

// Rows lie in id order, so that a tie settled by row is settled by id. Borrowed, perhaps from a map of a file that
// nobody has read yet: what says where to look next is kept within the arrays, whatever it is.
struct Part {
    Rows rows;                // what is searched: a row each, or the distinct codes in the order of their first row
    std::size_t n_rows;       // that hold them
    const std::int64_t* ids;  // (n_rows,) ascending, or null: first_id + row
    std::int64_t first_id;
    const std::int64_t*
        starts;  // (codes.count + 1,) distinct code u is held by rows holders[starts[u]] and on; or null
    const std::uint32_t* holders;  // (n_rows,)
    Removed lost;                  // which of the holders were removed; `rows` lacks codes that have none left

    std::int64_t id_of(std::size_t row) const { return ids ? ids[row] : first_id + static_cast<std::int64_t>(row); }

    // The places of the rows that hold distinct code u.
    struct Run {
        std::size_t begin, end;
    };
    Run held(std::size_t u) const {
        const auto most = static_cast<std::int64_t>(n_rows);
        const std::int64_t begin = std::clamp<std::int64_t>(starts[u], 0, most);
        const std::int64_t end = std::clamp<std::int64_t>(starts[u + 1], begin, most);
        return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end)};
    }
    std::size_t holder(std::size_t place) const { return std::min<std::size_t>(holders[place], n_rows - 1); }
    bool is_lost(std::size_t place) const { return lost.pages && lost.has(holder(place)); }

    // How many rows hold distinct code u.
    std::size_t n_holders(std::size_t u, Stop& stop) const {
        const Run run = held(u);
        std::size_t n = run.end - run.begin;
        if (lost.pages) for_each_number(run.end - run.begin, stop, [&](std::size_t i) { n -= is_lost(run.begin + i); });
        return n;
    }

    // Adds the first `most` of them.
    void add_holders(std::size_t u, std::size_t most, std::vector<std::uint64_t>& to, Stop& stop) const {
        const Run run = held(u);
        const std::size_t full = to.size() + most;
        for (std::size_t place = run.begin; place < run.end && to.size() < full; ++place) {
            if (!is_lost(place)) to.push_back(holder(place));
            if (place % Stop::a_lot == 0) stop.check();
        }
    }
};

}  // namespace hashindex
