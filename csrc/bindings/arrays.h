// NumPy arrays as the borrowed views that searches take, checked. Wrong arguments here are bugs of the Python layer,
// which has checked and explained everything to the user.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "../search/codes.h"

namespace hashindex {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

inline void require(bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
}

// An array (n,) of its own; NumPy would let go of the GIL to copy more than some hundred numbers.
template <class T>
Array<T> copied(const T* data, std::size_t n) {
    Array<T> array(static_cast<py::ssize_t>(n));
    std::copy_n(data, n, array.mutable_data());
    return array;
}

inline Codes as_codes(const Array<std::uint8_t>& codes) {
    require(codes.ndim() == 2 && codes.shape(1) >= 1, "codes must be uint8 of shape (n, code_size)");
    return {codes.data(), static_cast<std::size_t>(codes.shape(0)), static_cast<std::size_t>(codes.shape(1))};
}

struct SomeRows {
    const std::int64_t* begin;
    std::size_t count;
};

// Rows (n,), each from 0 to below `end`; else throws what is `missing`.
inline SomeRows as_rows(const Array<std::int64_t>& rows, std::size_t end, const char* missing) {
    require(rows.ndim() == 1, "rows must have shape (n,)");
    const SomeRows some{rows.data(), static_cast<std::size_t>(rows.size())};
    require(std::all_of(some.begin, some.begin + some.count,
                        [end](std::int64_t row) { return row >= 0 && static_cast<std::uint64_t>(row) < end; }),
            missing);
    return some;
}

// Pages and their table: hashindex.engines.removed.Removed.arrays.
using GivenRemoved = std::pair<Array<std::uint8_t>, Array<std::uint32_t>>;

inline Removed as_removed(const std::optional<GivenRemoved>& given, std::size_t n_rows) {
    if (!given) return {};
    const auto& [pages, table] = *given;
    require(pages.ndim() == 2 && static_cast<std::size_t>(pages.shape(1)) == Removed::page_size &&
                static_cast<std::size_t>(table.size()) * Removed::page_rows >= n_rows,
            "removed must have a bit per row");
    return {pages.data(), table.data()};
}

}  // namespace hashindex
