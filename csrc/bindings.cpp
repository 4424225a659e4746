// The extension module: arrays -> checks -> release the GIL -> raw pointers. No algorithm here.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/dispatch.h"
#include "search/multi_index.h"
#include "search/scan.h"

namespace py = pybind11;

namespace hashindex {
namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

void require(bool holds, const std::string& what) {
    if (!holds) throw std::invalid_argument(what);
}

// A radius beyond every distance is one at it: collectors count per distance.
std::uint32_t clamp(std::uint32_t radius, const Codes& codes) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(radius, 8 * codes.code_size));
}

// Wrong arguments here are bugs of the Python layer, which has checked and explained everything to the user.
Codes as_codes(const Array<std::uint8_t>& codes) {
    require(codes.ndim() == 2 && codes.shape(1) >= 1, "codes must be uint8 of shape (n, code_size)");
    return {codes.data(), static_cast<std::size_t>(codes.shape(0)), static_cast<std::size_t>(codes.shape(1))};
}

Codes as_queries(const Array<std::uint8_t>& queries, const Codes& codes) {
    const Codes view = as_codes(queries);
    require(view.code_size == codes.code_size, "queries and codes differ in code_size");
    return view;
}

Tables as_tables(const Array<std::int32_t>& starts, const Array<std::int32_t>& widths,
                 const Array<std::uint32_t>& offsets, const Array<std::uint32_t>& rows, const Codes& codes) {
    require(starts.ndim() == 1 && widths.ndim() == 1 && starts.size() == widths.size(), "starts and widths differ");
    require(widths.size() >= 1, "there must be a table");
    std::size_t n_offsets = 0;
    for (py::ssize_t t = 0; t < widths.size(); ++t) {
        const std::int64_t start = starts.at(t), width = widths.at(t);
        require(start >= 0 && width >= 1 && width <= 30 &&
                    start + width <= static_cast<std::int64_t>(8 * codes.code_size),
                "a table's key lies outside the code");
        n_offsets += (std::size_t{1} << width) + 1;
    }
    require(offsets.ndim() == 1 && static_cast<std::size_t>(offsets.size()) == n_offsets, "offsets do not fit widths");
    require(rows.ndim() == 2 && rows.shape(0) == widths.size() &&
                static_cast<std::size_t>(rows.shape(1)) == codes.count,
            "rows must have shape (n_tables, n_codes)");
    return {starts.data(), widths.data(), offsets.data(), rows.data(), static_cast<std::size_t>(widths.size())};
}

// CSR arrays (offsets, distances, rows), filled without the GIL.
py::tuple as_csr(const RadiusHits& found, const char* isa) {
    Array<std::int64_t> offsets(static_cast<py::ssize_t>(found.size() + 1));
    std::int64_t* offset = offsets.mutable_data();
    offset[0] = 0;
    for (std::size_t q = 0; q < found.size(); ++q) offset[q + 1] = offset[q] + static_cast<std::int64_t>(found[q].size());
    Array<std::int32_t> distances(offset[found.size()]);
    Array<std::int64_t> rows(offset[found.size()]);
    std::int32_t* distance = distances.mutable_data();
    std::int64_t* row = rows.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        for (const std::vector<Hit>& hits : found) {
            for (const Hit hit : hits) {
                *distance++ = static_cast<std::int32_t>(hit_distance(hit));
                *row++ = static_cast<std::int64_t>(hit_row(hit));
            }
        }
    }
    return py::make_tuple(offsets, distances, rows, isa);
}

py::tuple py_scan_radius(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& queries, std::uint32_t radius,
                         const std::string& isa, ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes), q = as_queries(queries, c);
    const Execution execution{find_kernel(isa), pool, n_threads};
    const char* ran = nullptr;
    RadiusHits found;
    {
        const py::gil_scoped_release unlocked;
        found = scan_radius(c, q, clamp(radius, c), execution, ran);
    }
    return as_csr(found, ran);
}

py::tuple py_probe_radius(const Array<std::uint8_t>& codes, const Array<std::int32_t>& starts,
                          const Array<std::int32_t>& widths, const Array<std::uint32_t>& offsets,
                          const Array<std::uint32_t>& rows, const Array<std::uint8_t>& queries, std::uint32_t radius,
                          const Array<std::int32_t>& thresholds, const std::string& isa, ThreadPool& pool,
                          std::size_t n_threads) {
    const Codes c = as_codes(codes), q = as_queries(queries, c);
    const Tables tables = as_tables(starts, widths, offsets, rows, c);
    require(thresholds.ndim() == 1 && thresholds.size() == widths.size(), "thresholds and widths differ");
    for (py::ssize_t t = 0; t < widths.size(); ++t) require(thresholds.at(t) <= widths.at(t), "threshold > width");
    const Execution execution{find_kernel(isa), pool, n_threads};
    const char* ran = nullptr;
    RadiusHits found;
    {
        const py::gil_scoped_release unlocked;
        found = probe_radius(c, tables, q, clamp(radius, c), thresholds.data(), execution, ran);
    }
    return as_csr(found, ran);
}

// Runs search(output, isa) without the GIL on fresh (n_queries, k) arrays.
template <class Search>
py::tuple nearest(const Codes& codes, const Codes& queries, std::size_t k, Search search) {
    require(k >= 1 && k <= codes.count, "k must lie between 1 and the number of codes");
    const auto shape = std::vector<py::ssize_t>{static_cast<py::ssize_t>(queries.count), static_cast<py::ssize_t>(k)};
    Array<std::int32_t> distances(shape);
    Array<std::int64_t> rows(shape);
    const NearestOutput output{distances.mutable_data(), rows.mutable_data(), k};
    const char* ran = nullptr;
    {
        const py::gil_scoped_release unlocked;
        search(output, ran);
    }
    return py::make_tuple(distances, rows, ran);
}

py::tuple py_scan_nearest(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& queries, std::size_t k,
                          std::uint32_t radius, const std::string& isa, ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes), q = as_queries(queries, c);
    const Execution execution{find_kernel(isa), pool, n_threads};
    return nearest(c, q, k, [&](const NearestOutput& output, const char*& ran) {
        scan_nearest(c, q, clamp(radius, c), execution, output, ran);
    });
}

py::tuple py_probe_nearest(const Array<std::uint8_t>& codes, const Array<std::int32_t>& starts,
                           const Array<std::int32_t>& widths, const Array<std::uint32_t>& offsets,
                           const Array<std::uint32_t>& rows, const Array<std::uint8_t>& queries, std::size_t k,
                           std::uint32_t radius, const std::string& isa, ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes), q = as_queries(queries, c);
    const Tables tables = as_tables(starts, widths, offsets, rows, c);
    const Execution execution{find_kernel(isa), pool, n_threads};
    return nearest(c, q, k, [&](const NearestOutput& output, const char*& ran) {
        probe_nearest(c, tables, q, clamp(radius, c), execution, output, ran);
    });
}

py::tuple py_build_tables(const Array<std::uint8_t>& codes, const Array<std::int32_t>& starts,
                          const Array<std::int32_t>& widths, ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes);
    require(c.count < (std::uint64_t{1} << 32), "tables hold fewer than 2**32 codes");
    py::ssize_t n_offsets = 0;
    for (py::ssize_t t = 0; t < widths.size(); ++t) {
        require(widths.at(t) >= 1 && widths.at(t) <= 30, "a key has 1 to 30 bits");
        n_offsets += (py::ssize_t{1} << widths.at(t)) + 1;
    }
    Array<std::uint32_t> offsets(n_offsets);
    Array<std::uint32_t> rows({widths.size(), codes.shape(0)});
    std::uint32_t* offsets_data = offsets.mutable_data();
    std::uint32_t* rows_data = rows.mutable_data();
    const Tables layout = as_tables(starts, widths, offsets, rows, c);
    const Execution execution{scalar_kernel, pool, n_threads};
    {
        const py::gil_scoped_release unlocked;
        build_tables(c, layout, offsets_data, rows_data, execution);
    }
    return py::make_tuple(offsets, rows);
}

std::vector<std::string> available_isas() {
    std::vector<std::string> names;
    for (const Kernel* kernel : available_kernels()) names.emplace_back(kernel->isa);
    return names;
}

}  // namespace
}  // namespace hashindex

PYBIND11_MODULE(_core, m) {
    using namespace hashindex;
    m.doc() = "Native searches of hashindex; use hashindex.HashIndex.";
    m.def("available_isas", &available_isas);
    py::class_<ThreadPool>(m, "ThreadPool").def(py::init<>());
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    m.def("scan_radius", &py_scan_radius, a("codes"), a("queries"), py::arg("radius"), py::arg("isa"), py::arg("pool"),
          py::arg("n_threads"));
    m.def("scan_nearest", &py_scan_nearest, a("codes"), a("queries"), py::arg("k"), py::arg("radius"), py::arg("isa"),
          py::arg("pool"), py::arg("n_threads"));
    m.def("build_tables", &py_build_tables, a("codes"), a("starts"), a("widths"), py::arg("pool"),
          py::arg("n_threads"));
    m.def("probe_radius", &py_probe_radius, a("codes"), a("starts"), a("widths"), a("offsets"), a("rows"),
          a("queries"), py::arg("radius"), a("thresholds"), py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
    m.def("probe_nearest", &py_probe_nearest, a("codes"), a("starts"), a("widths"), a("offsets"), a("rows"),
          a("queries"), py::arg("k"), py::arg("radius"), py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
}
