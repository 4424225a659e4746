#include <algorithm>
#include <cstring>
#include <limits>

#include "arrays.h"
#include "register.h"

namespace hashindex {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 16;  // copied with the GIL: SOON of segments/tail.py

// Copies plain codes, (n, code_size) or one, to the rows of a room from `begin` on, below `most`, under ids counted up
// from `first_id`, and returns these (n,). None for whatever needs a closer look, and nothing is written.
py::object append_codes(Array<std::uint8_t> room, Array<std::int64_t> room_ids, std::size_t begin, std::size_t most,
                        const py::object& given, std::int64_t first_id) {
    require(room.ndim() == 2 && room_ids.ndim() == 1, "a room has codes (n, code_size) and ids (n,)");
    if (Py_TYPE(given.ptr()) != Py_TYPE(room.ptr()) || !Array<std::uint8_t>::check_(given)) return py::none();
    const auto codes = py::reinterpret_borrow<Array<std::uint8_t>>(given);
    const py::ssize_t ndim = codes.ndim(), code_size = room.shape(1);
    if (ndim < 1 || ndim > 2 || code_size < 1 || codes.shape(ndim - 1) != code_size) return py::none();
    const auto n_bytes = static_cast<std::size_t>(codes.size()), n = n_bytes / static_cast<std::size_t>(code_size);
    const auto room_rows = static_cast<std::size_t>(std::min(room.shape(0), room_ids.shape(0)));
    if (n == 0 || n_bytes > most_bytes || begin + n > std::min(most, room_rows)) return py::none();
    if (first_id > std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(n)) return py::none();
    Array<std::int64_t> ids(static_cast<py::ssize_t>(n));
    std::int64_t* const told = ids.mutable_data();
    for (std::size_t i = 0; i < n; ++i) told[i] = first_id + static_cast<std::int64_t>(i);
    std::memcpy(room.mutable_data() + begin * static_cast<std::size_t>(code_size), codes.data(), n_bytes);
    std::memcpy(room_ids.mutable_data() + begin, told, n * sizeof(std::int64_t));
    return ids;
}

}  // namespace

void register_tail(py::module_& m) {
    m.def("append_codes", &append_codes, py::arg("room").noconvert(), py::arg("room_ids").noconvert(), py::arg("begin"),
          py::arg("most"), py::arg("codes"), py::arg("first_id"));
}

}  // namespace hashindex
