// Rows by their ids, and rows marked as removed.
#pragma once

#include "../../csrc/search/ids.h"
#include "../../csrc/search/marks.h"
#include "check_answers.h"

#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <set>

namespace hashindex {

// Marks more and more rows in pages that are copied before, as Python does it; earlier tables still tell what they did.
inline void check_marks(std::size_t n_rows) {
    const std::size_t n_pages = (n_rows + Removed::page_rows - 1) / Removed::page_rows, most = 1 + 6 * n_pages;
    std::vector<unsigned char> pages(most * Removed::page_size, 0xff);
    std::memset(pages.data(), 0, Removed::page_size);
    std::vector<std::vector<std::uint32_t>> tables(1, std::vector<std::uint32_t>(n_pages, 0));
    std::vector<std::set<std::size_t>> marked(1);
    std::mt19937 random(static_cast<unsigned>(n_rows));
    std::uint32_t next = 1;
    for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{0}, std::size_t{700}, n_rows}) {
        std::vector<std::int64_t> rows(n);
        for (std::int64_t& row : rows) row = static_cast<std::int64_t>(random() % n_rows);
        const std::vector<std::uint32_t> numbers = pages_of(rows.data(), n, n_pages);
        std::vector<std::uint32_t> places(numbers.size()), table = tables.back();
        std::iota(places.begin(), places.end(), next);
        next += static_cast<std::uint32_t>(places.size());
        CHECK(next <= most, "more pages than there are");
        own_pages({pages.data(), tables.back().data()}, numbers, places, pages.data(), table.data());
        mark_rows(rows.data(), n, pages.data(), table.data());
        tables.push_back(table);
        marked.push_back(marked.back());
        for (const std::int64_t row : rows) marked.back().insert(static_cast<std::size_t>(row));
        for (std::size_t t = 0; t < tables.size(); ++t)
            for (std::size_t row = 0; row < n_rows; ++row)
                CHECK(Removed({pages.data(), tables[t].data()}).has(row) == (marked[t].count(row) == 1), "marks");
    }
}

inline void check_ids(const Reference& truth) {
    const std::size_t n = truth.codes().count;
    std::vector<std::int64_t> own(n);
    for (std::size_t row = 0; row < n; ++row) own[row] = static_cast<std::int64_t>(3 * row + row % 2);
    const Place counted{70, nullptr, n, truth.removed()}, given{0, own.data(), n, truth.removed()};
    std::vector<std::int64_t> asked{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
    for (std::int64_t id = -5; id < static_cast<std::int64_t>(3 * n) + 80; ++id) asked.push_back(id);
    std::vector<std::int64_t> rows(asked.size());
    const std::unique_ptr<bool[]> here(new bool[asked.size()]);
    for (const Place& place : {counted, given}) {
        find_rows(place, asked.data(), asked.size(), rows.data(), here.get());
        for (std::size_t i = 0; i < asked.size(); ++i) {
            std::size_t row = 0;
            while (row < n && (place.ids ? own[row] : static_cast<std::int64_t>(row) + 70) != asked[i]) ++row;
            const bool is_here = row < n && !truth.removed().has(row);
            CHECK(here[i] == is_here && rows[i] == (is_here ? static_cast<std::int64_t>(row) : 0), "find_rows");
        }
    }
    std::vector<std::int64_t> ids;  // in both places or in one: the first counts
    for (std::size_t i = 2; i < asked.size(); ++i)
        if (counted.row_of(asked[i]) < n || given.row_of(asked[i]) < n) ids.push_back(asked[i]);
    const RowsOfIds found({counted, given}, ids);
    CHECK(found.missing == -1 && found.rows[0].size() + found.rows[1].size() == ids.size(), "every id has a row");
    std::vector<std::int64_t> back;
    for (const std::int64_t row : found.rows[0]) back.push_back(row + 70);
    for (const std::int64_t row : found.rows[1]) back.push_back(own[static_cast<std::size_t>(row)]);
    std::sort(back.begin(), back.end());
    CHECK(back == ids, "rows of ids");
    ids.push_back(std::numeric_limits<std::int64_t>::max());
    CHECK(RowsOfIds({counted, given}, ids).missing == ids.back(), "an id that nobody has");
    std::reverse(own.begin(), own.end());  // as in a damaged file: whatever is found lies within
    for (const std::int64_t id : asked) CHECK(given.row_of(id) <= n, "a row beyond the last");
}

}  // namespace hashindex
