// Which rows are known by which ids.
#pragma once

#include <cstdint>
#include <vector>

#include "codes.h"

namespace hashindex {

// Rows in id order, and which of them were removed. Borrowed, perhaps from a map of a file that nobody has read yet:
// whatever the ids are, no row beyond n_rows is told.
struct Place {
    std::int64_t first_id;
    const std::int64_t* ids;  // (n_rows,) ascending, or null: first_id + row
    std::size_t n_rows;
    Removed removed;

    // The row of the id; n_rows if it is not here, or was removed.
    std::size_t row_of(std::int64_t id) const;
};

// Writes the row of each id, or 0, and whether it is there.
void find_rows(const Place& place, const std::int64_t* ids, std::size_t count, std::int64_t* rows, bool* here);

// The rows in each place of `ids`, ascending and each once, ascending themselves; and the first id that no place has,
// or -1.
struct RowsOfIds {
    std::vector<std::vector<std::int64_t>> rows;
    std::int64_t missing = -1;

    RowsOfIds(const std::vector<Place>& places, const std::vector<std::int64_t>& ids);
};

}  // namespace hashindex
