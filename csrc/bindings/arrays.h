// NumPy arrays as the borrowed views that searches take, checked. Wrong arguments here are bugs of the Python layer,
// which has checked and explained everything to the user.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>

#include "../search/codes.h"

namespace hashindex {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

inline void require(bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
}

inline Codes as_codes(const Array<std::uint8_t>& codes) {
    require(codes.ndim() == 2 && codes.shape(1) >= 1, "codes must be uint8 of shape (n, code_size)");
    return {codes.data(), static_cast<std::size_t>(codes.shape(0)), static_cast<std::size_t>(codes.shape(1))};
}

}  // namespace hashindex
