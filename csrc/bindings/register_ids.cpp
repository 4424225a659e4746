#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <tuple>

#include "../search/ids.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

using Ids = Array<std::int64_t>;

// first_id, ids, n_rows, removed: hashindex.segments.segment.Segment.place.
using GivenPlace = std::tuple<std::int64_t, std::optional<Ids>, std::size_t, std::optional<GivenRemoved>>;

// In steps of some 2 ns: those that take less time than waiting for the GIL would, and what an id takes, to be put in
// its order and then in a place whose ids are counted, or stand in the cache, or do not.
constexpr std::size_t few_steps = std::size_t{1} << 15, ordering = 8, counting = 1, looking_near = 12,
                      looking_far = 256;
constexpr std::size_t near_rows = std::size_t{1} << 16;

Place as_place(const GivenPlace& given) {
    const auto& [first_id, ids, n_rows, removed] = given;
    require(!ids || (ids->ndim() == 1 && static_cast<std::size_t>(ids->size()) >= n_rows), "a row has an id");
    return {first_id, ids ? ids->data() : nullptr, n_rows, as_removed(removed, n_rows)};
}

bool takes_long(std::size_t n_ids, const std::vector<Place>& places) {
    std::size_t steps = ordering;
    for (const Place& place : places)
        steps += !place.ids || !place.n_rows ? counting : place.n_rows <= near_rows ? looking_near : looking_far;
    return n_ids > few_steps / steps;
}

// A copy of an int64 array (n,), C-contiguous, perhaps unaligned; None if it is none, is empty or has one below 0.
py::object plain_ids(const py::array& given) {
    if (!Ids::check_(given) || given.ndim() != 1 || given.size() == 0) return py::none();
    Ids ids(given.size());
    std::int64_t* const data = ids.mutable_data();
    const void* const from = given.data();
    const auto n = static_cast<std::size_t>(given.size());
    bool all = false;
    without_gil_if(n > few_steps, [&] {
        std::memcpy(data, from, n * sizeof(std::int64_t));
        all = std::all_of(data, data + n, [](std::int64_t id) { return id >= 0; });
    });
    return all ? py::object(ids) : py::none();
}

// The ids (n,) from `first` on.
Ids counted_ids(std::int64_t first, std::size_t n) {
    require(first >= 0 && n <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() - first),
            "ids are below 2**63");
    Ids ids(static_cast<py::ssize_t>(n));
    std::int64_t* const data = ids.mutable_data();
    without_gil_if(n > few_steps, [&] { std::iota(data, data + n, first); });
    return ids;
}

py::tuple py_find_rows(const Ids& ids, const GivenPlace& given) {
    require(ids.ndim() == 1, "ids must have shape (n,)");
    const std::vector<Place> places{as_place(given)};
    Ids rows(ids.size());
    Array<bool> here(ids.size());
    const std::int64_t* const data = ids.data();
    std::int64_t* const rows_data = rows.mutable_data();
    bool* const here_data = here.mutable_data();
    const auto n = static_cast<std::size_t>(ids.size());
    without_gil_if(takes_long(n, places), [&] { find_rows(places[0], data, n, rows_data, here_data); });
    return py::make_tuple(rows, here);
}

// (rows in each place, the first id that none has or -1), of ids in any order, each once or more often.
py::tuple rows_of_ids(const Ids& ids, const std::vector<GivenPlace>& given) {
    require(ids.ndim() == 1, "ids must have shape (n,)");
    std::vector<Place> places;
    for (const GivenPlace& one : given) places.push_back(as_place(one));
    std::vector<std::int64_t> distinct(ids.data(), ids.data() + ids.size());
    std::optional<RowsOfIds> found;
    without_gil_if(takes_long(distinct.size(), places), [&] {
        if (!std::is_sorted(distinct.begin(), distinct.end())) std::sort(distinct.begin(), distinct.end());
        distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
        found.emplace(places, distinct);
    });
    py::list rows;
    for (const std::vector<std::int64_t>& one : found->rows) rows.append(copied(one.data(), one.size()));
    return py::make_tuple(rows, found->missing);
}

}  // namespace

void register_ids(py::module_& m) {
    m.def("counted_ids", &counted_ids, py::arg("first"), py::arg("n"));
    m.def("plain_ids", &plain_ids, py::arg("ids"));
    m.def("find_rows", &py_find_rows, py::arg("ids").noconvert(), py::arg("place"));
    m.def("rows_of_ids", &rows_of_ids, py::arg("ids").noconvert(), py::arg("places"));
}

}  // namespace hashindex
