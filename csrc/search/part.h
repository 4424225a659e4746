// One part of an index as the caller knows it: rows that hold codes, under ids.
#pragma once

#include "codes.h"

namespace hashindex {

// Rows lie in id order, so that a tie settled by row is settled by id. Borrowed.
struct Part {
    Rows rows;                // what is searched: a row each, or the distinct codes in the order of their first row
    std::size_t n_rows;       // that hold them
    const std::int64_t* ids;  // (n_rows,) ascending, or null: first_id + row
    std::int64_t first_id;
    const std::int64_t*
        starts;  // (codes.count + 1,) distinct code u is held by rows holders[starts[u]] and on; or null
    const std::uint32_t* holders;  // (n_rows,)
    Removed lost;                  // which of the holders were removed; `rows` lacks codes that have none left

    std::size_t n_holders(std::size_t code) const {
        if (!lost.pages) return static_cast<std::size_t>(starts[code + 1] - starts[code]);
        std::size_t n = 0;
        for (std::int64_t i = starts[code]; i < starts[code + 1]; ++i) n += !lost.has(holders[i]);
        return n;
    }

    std::int64_t id_of(std::size_t row) const { return ids ? ids[row] : first_id + static_cast<std::int64_t>(row); }
};

}  // namespace hashindex
