#include "ids.h"

#include <algorithm>

namespace hashindex {

std::size_t Place::row_of(std::int64_t id) const {
    const std::uint64_t counted = static_cast<std::uint64_t>(id) - static_cast<std::uint64_t>(first_id);
    std::size_t row = counted < n_rows ? static_cast<std::size_t>(counted) : n_rows;
    if (ids) {
        row = static_cast<std::size_t>(std::lower_bound(ids, ids + n_rows, id) - ids);
        if (row < n_rows && ids[row] != id) row = n_rows;
    }
    return row < n_rows && !removed.has(row) ? row : n_rows;
}

void find_rows(const Place& place, const std::int64_t* ids, std::size_t count, std::int64_t* rows, bool* here) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t row = place.row_of(ids[i]);
        here[i] = row < place.n_rows;
        rows[i] = here[i] ? static_cast<std::int64_t>(row) : 0;
    }
}

RowsOfIds::RowsOfIds(const std::vector<Place>& places, const std::vector<std::int64_t>& ids) : rows(places.size()) {
    std::vector<std::int64_t> left = ids;  // that no place has had so far
    for (std::size_t p = 0; p < places.size(); ++p) {
        std::size_t n_left = 0;
        for (const std::int64_t id : left) {
            const std::size_t row = places[p].row_of(id);
            if (row < places[p].n_rows) rows[p].push_back(static_cast<std::int64_t>(row));
            else left[n_left++] = id;
        }
        left.resize(n_left);
    }
    if (!left.empty()) missing = left[0];
}

}  // namespace hashindex
