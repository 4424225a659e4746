#include <pybind11/stl.h>

#include <algorithm>

#include "../search/marks.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

using Numbers = std::vector<std::uint32_t>;

constexpr std::size_t few_pages = 16, few_rows = 4096;  // copied and marked in less time than a wait for the GIL takes

SomeRows rows_of_pages(const Array<std::int64_t>& rows, std::size_t n_pages) {
    return as_rows(rows, n_pages * Removed::page_rows, "a row that no page has");
}

Numbers py_pages_of(const Array<std::int64_t>& rows, std::size_t n_pages) {
    const auto [begin, n] = rows_of_pages(rows, n_pages);
    return pages_of(begin, n, n_pages);
}

// The table of the same marks and `rows`, once pages `numbers`, which have these rows, are copied to `places` of `to`.
Array<std::uint32_t> with_rows(const GivenRemoved& from, Array<std::uint8_t> to, const Numbers& numbers,
                               const Numbers& places, const Array<std::int64_t>& rows) {
    const auto& [pages, old_table] = from;
    const auto n_pages = static_cast<std::size_t>(old_table.size());
    const Removed removed = as_removed(from, n_pages * Removed::page_rows);
    const SomeRows some = rows_of_pages(rows, n_pages);
    require(to.ndim() == 2 && static_cast<std::size_t>(to.shape(1)) == Removed::page_size, "pages are of 4 KiB");
    require(numbers.size() == places.size(), "a place for each page");
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        require(numbers[i] < n_pages && removed.table[numbers[i]] < pages.shape(0), "a page that is not there");
        require(places[i] < to.shape(0), "a place that is not there");
    }
    Array<std::uint32_t> table = copied(removed.table, n_pages);
    std::uint32_t* const table_data = table.mutable_data();
    unsigned char* const to_data = to.mutable_data();
    without_gil_if(numbers.size() > few_pages || some.count > few_rows, [&] {
        own_pages(removed, numbers, places, to_data, table_data);
        mark_rows(some.begin, some.count, to_data, table_data);
    });
    return table;
}

}  // namespace

void register_marks(py::module_& m) {
    m.def("pages_of", &py_pages_of, py::arg("rows").noconvert(), py::arg("n_pages"));
    m.def("with_rows", &with_rows, py::arg("removed"), py::arg("to").noconvert(), py::arg("numbers"), py::arg("places"),
          py::arg("rows").noconvert());
}

}  // namespace hashindex
