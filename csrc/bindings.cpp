// The extension module: arrays -> checks -> release the GIL -> raw pointers. No algorithm here.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <tuple>

#include "kernels/dispatch.h"
#include "search/count.h"
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

// An empty bitmap says that no row was removed.
Rows as_rows(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& removed) {
    const Codes view = as_codes(codes);
    require(view.count < (std::uint64_t{1} << row_bits), "too many codes");
    require(removed.size() == 0 || static_cast<std::size_t>(removed.size()) >= (view.count + 7) / 8,
            "removed must have a bit per row");
    return {view, removed.size() ? removed.data() : nullptr};
}

// masks, widths, offsets, rows, copies: the fields of hashindex.tables.Tables.
using TableArrays = std::tuple<Array<std::uint8_t>, Array<std::int32_t>, Array<std::uint32_t>, Array<std::uint32_t>,
                               Array<std::uint64_t>>;

std::size_t n_offsets_of(const Array<std::uint8_t>& masks, const Array<std::int32_t>& widths, const Codes& codes) {
    require(widths.ndim() == 1 && widths.size() >= 1, "there must be a table");
    const Codes view = as_codes(masks);
    require(view.code_size == codes.code_size && view.count == static_cast<std::size_t>(widths.size()),
            "masks must have shape (n_tables, code_size)");
    std::size_t n_offsets = 0;
    for (py::ssize_t t = 0; t < widths.size(); ++t) {
        std::int32_t n_set = 0;
        for (std::size_t i = 0; i < view.code_size; ++i)
            for (unsigned byte = view.row(static_cast<std::size_t>(t))[i]; byte; byte &= byte - 1) ++n_set;
        require(widths.at(t) >= 1 && widths.at(t) <= 30 && n_set == widths.at(t), "a key has 1 to 30 bits");
        n_offsets += (std::size_t{1} << widths.at(t)) + 1;
    }
    return n_offsets;
}

Tables as_tables(const TableArrays& arrays, const Codes& codes) {
    const auto& [masks, widths, offsets, rows, copies] = arrays;
    const std::size_t n_offsets = n_offsets_of(masks, widths, codes);
    const auto n_tables = static_cast<std::size_t>(widths.size());
    require(offsets.ndim() == 1 && static_cast<std::size_t>(offsets.size()) == n_offsets, "offsets do not fit widths");
    require(static_cast<std::size_t>(rows.size()) == n_tables * codes.count, "rows must have shape (n_tables, n_codes)");
    const auto n_copied = copies.ndim() == 2 ? static_cast<std::size_t>(copies.shape(0)) : n_tables + 1;
    require(n_copied <= n_tables && static_cast<std::size_t>(copies.size()) == n_copied * codes.count,
            "copies must have shape (n_copied, n_codes)");
    require(n_copied == 0 || codes.n_words() == 1, "only codes of one word are copied");
    return {masks.data(), widths.data(), offsets.data(), rows.data(), copies.data(), n_tables, n_copied};
}

py::tuple as_tuple(const Work& work) { return py::make_tuple(work.lookups, work.candidates, work.isa); }

// CSR arrays (offsets, distances, rows) and the work, filled without the GIL.
py::tuple as_csr(const RadiusHits& blocks, std::size_t n_queries, const Work& work, const Execution& execution) {
    Array<std::int64_t> offsets(static_cast<py::ssize_t>(n_queries + 1));
    std::int64_t* ends = offsets.mutable_data();
    *ends++ = 0;
    std::vector<std::int64_t> begins;
    std::int64_t total = 0;
    for (const BlockHits& block : blocks) {
        begins.push_back(total);
        for (const std::size_t end : block.ends) *ends++ = total + static_cast<std::int64_t>(end);
        total += static_cast<std::int64_t>(block.hits.size());
    }
    Array<std::int32_t> distances(total);
    Array<std::int64_t> rows(total);
    std::int32_t* distance = distances.mutable_data();
    std::int64_t* row = rows.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        execution.pool.run(blocks.size(), execution.n_threads, [&](std::size_t block) {
            std::int64_t place = begins[block];
            for (const Hit hit : blocks[block].hits) {
                distance[place] = static_cast<std::int32_t>(hit_distance(hit));
                row[place++] = static_cast<std::int64_t>(hit_row(hit));
            }
        });
    }
    return py::make_tuple(offsets, distances, rows, as_tuple(work));
}

py::object py_scan_radius(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& removed,
                         const Array<std::uint8_t>& queries, std::uint32_t radius, std::size_t most_hits,
                         const std::string& isa, ThreadPool& pool, std::size_t n_threads) {
    const Rows rows = as_rows(codes, removed);
    const Codes q = as_queries(queries, rows.codes);
    const Execution execution{find_kernel(isa), pool, n_threads};
    Work work;
    HitBudget budget(most_hits);
    RadiusHits found;
    try {
        const py::gil_scoped_release unlocked;
        found = scan_radius(rows, q, clamp(radius, q), execution, work, budget);
    } catch (const HitBudget::Exceeded&) {
        return py::none();
    }
    return as_csr(found, q.count, work, execution);
}

py::object py_probe_radius(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& removed,
                          const TableArrays& arrays, const Array<std::uint8_t>& queries, std::uint32_t radius,
                          const Array<std::int32_t>& thresholds, std::size_t most_hits, const std::string& isa,
                          ThreadPool& pool, std::size_t n_threads) {
    const Rows rows = as_rows(codes, removed);
    const Codes q = as_queries(queries, rows.codes);
    const Tables tables = as_tables(arrays, rows.codes);
    require(thresholds.ndim() == 1 && static_cast<std::size_t>(thresholds.size()) == tables.n_tables,
            "thresholds and widths differ");
    for (std::size_t t = 0; t < tables.n_tables; ++t)
        require(thresholds.data()[t] <= tables.widths[t], "threshold > width");
    const Execution execution{find_kernel(isa), pool, n_threads};
    Work work;
    HitBudget budget(most_hits);
    RadiusHits found;
    try {
        const py::gil_scoped_release unlocked;
        found = probe_radius(rows, tables, q, clamp(radius, q), thresholds.data(), execution, work, budget);
    } catch (const HitBudget::Exceeded&) {
        return py::none();
    }
    return as_csr(found, q.count, work, execution);
}

// Fresh (n_queries, k) arrays for the k nearest.
struct NearestArrays {
    Array<std::int32_t> distances;
    Array<std::int64_t> rows;
    NearestOutput output;

    NearestArrays(const Codes& codes, const Codes& queries, std::size_t k, const Array<std::int32_t>& radii)
        : distances({static_cast<py::ssize_t>(queries.count), static_cast<py::ssize_t>(k)}),
          rows({static_cast<py::ssize_t>(queries.count), static_cast<py::ssize_t>(k)}),
          output{distances.mutable_data(), rows.mutable_data(), k} {
        require(k >= 1 && k <= codes.count, "k must lie between 1 and the number of codes");
        require(radii.ndim() == 1 && static_cast<std::size_t>(radii.size()) == queries.count, "a radius per query");
        for (py::ssize_t q = 0; q < radii.size(); ++q)
            require(radii.data()[q] >= 0 && static_cast<std::size_t>(radii.data()[q]) <= 8 * codes.code_size,
                    "radii must lie between 0 and the bits of a code");
    }
};

py::tuple py_scan_nearest(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& removed,
                          const Array<std::uint8_t>& queries, std::size_t k, const Array<std::int32_t>& radii,
                          const std::string& isa, ThreadPool& pool, std::size_t n_threads) {
    const Rows rows = as_rows(codes, removed);
    const Codes q = as_queries(queries, rows.codes);
    const NearestArrays nearest(rows.codes, q, k, radii);
    const Execution execution{find_kernel(isa), pool, n_threads};
    Work work;
    {
        const py::gil_scoped_release unlocked;
        scan_nearest(rows, q, radii.data(), execution, nearest.output, work);
    }
    return py::make_tuple(nearest.distances, nearest.rows, as_tuple(work));
}

py::tuple py_probe_nearest(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& removed,
                           const TableArrays& arrays, const Array<std::uint8_t>& queries, std::size_t k,
                           const Array<std::int32_t>& radii, const Array<std::int32_t>& shells,
                           const Array<double>& costs, double scan_cost, const std::string& isa, ThreadPool& pool,
                           std::size_t n_threads) {
    const Rows rows = as_rows(codes, removed);
    const Codes q = as_queries(queries, rows.codes);
    const Tables tables = as_tables(arrays, rows.codes);
    const NearestArrays nearest(rows.codes, q, k, radii);
    require(shells.ndim() == 2 && shells.shape(1) == 2 && shells.shape(0) == costs.size(), "a cost per shell");
    std::vector<Shell> steps;
    std::vector<std::int32_t> next(tables.n_tables, 0);
    for (py::ssize_t s = 0; s < shells.shape(0); ++s) {
        const std::int32_t t = shells.at(s, 0), flips = shells.at(s, 1);
        require(t >= 0 && static_cast<std::size_t>(t) < tables.n_tables, "a shell of no table");
        require(flips == next[static_cast<std::size_t>(t)]++ && flips <= tables.widths[t], "shells must count up from 0");
        steps.push_back({t, flips, costs.at(s)});
    }
    const Execution execution{find_kernel(isa), pool, n_threads};
    Array<bool> done(static_cast<py::ssize_t>(q.count));
    auto* done_data = reinterpret_cast<unsigned char*>(done.mutable_data());
    Work work;
    {
        const py::gil_scoped_release unlocked;
        probe_nearest(rows, tables, q, radii.data(), steps, scan_cost, execution, nearest.output, done_data, work);
    }
    return py::make_tuple(nearest.distances, nearest.rows, done, as_tuple(work));
}

py::tuple py_build_tables(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& masks,
                          const Array<std::int32_t>& widths, py::ssize_t n_copied, const std::string& isa,
                          ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes);
    require(c.count < (std::uint64_t{1} << 32), "tables hold fewer than 2**32 codes");
    require(n_copied >= 0, "n_copied < 0");
    Array<std::uint32_t> offsets(static_cast<py::ssize_t>(n_offsets_of(masks, widths, c)));
    Array<std::uint32_t> rows({widths.size(), codes.shape(0)});
    Array<std::uint64_t> copies({n_copied, codes.shape(0)});
    std::uint32_t* offsets_data = offsets.mutable_data();
    std::uint32_t* rows_data = rows.mutable_data();
    std::uint64_t* copies_data = copies.mutable_data();
    const Tables layout = as_tables({masks, widths, offsets, rows, copies}, c);
    const Execution execution{find_kernel(isa), pool, n_threads};
    {
        const py::gil_scoped_release unlocked;
        build_tables(c, layout, offsets_data, rows_data, copies_data, execution);
    }
    return py::make_tuple(offsets, rows, copies);
}

py::tuple py_count_distances(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& queries,
                             const Array<std::uint32_t>& query_labels, const Array<std::uint32_t>& item_labels,
                             bool shared, const std::string& isa, ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes);
    const Codes q = as_queries(queries, c);
    require(c.count < (std::uint64_t{1} << 32), "fewer than 2**32 codes are counted");
    require(query_labels.ndim() == 2 && item_labels.ndim() == 2 && query_labels.shape(1) == item_labels.shape(0) &&
                query_labels.shape(0) == queries.shape(0) && item_labels.shape(1) == codes.shape(0),
            "labels must have shapes (n_queries, n_words) and (n_words, n_codes)");
    Array<std::int64_t> counts({py::ssize_t{2}, queries.shape(0), 8 * codes.shape(1) + 1});
    std::int64_t* counts_data = counts.mutable_data();
    const Relevance relevance{query_labels.data(), item_labels.data(), static_cast<std::size_t>(item_labels.shape(0)),
                              shared};
    const Execution execution{find_kernel(isa), pool, n_threads};
    Work work;
    {
        const py::gil_scoped_release unlocked;
        count_distances(c, q, relevance, execution, counts_data, work);
    }
    return py::make_tuple(counts, as_tuple(work));
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
    m.def("scan_radius", &py_scan_radius, a("codes"), a("removed"), a("queries"), py::arg("radius"),
          py::arg("most_hits"), py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
    m.def("scan_nearest", &py_scan_nearest, a("codes"), a("removed"), a("queries"), py::arg("k"), a("radii"),
          py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
    m.def("build_tables", &py_build_tables, a("codes"), a("masks"), a("widths"), py::arg("n_copied"), py::arg("isa"),
          py::arg("pool"), py::arg("n_threads"));
    m.def("probe_radius", &py_probe_radius, a("codes"), a("removed"), a("tables"), a("queries"), py::arg("radius"),
          a("thresholds"), py::arg("most_hits"), py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
    m.def("probe_nearest", &py_probe_nearest, a("codes"), a("removed"), a("tables"), a("queries"), py::arg("k"),
          a("radii"), a("shells"), a("costs"), py::arg("scan_cost"), py::arg("isa"), py::arg("pool"),
          py::arg("n_threads"));
    m.def("count_distances", &py_count_distances, a("codes"), a("queries"), a("query_labels"), a("item_labels"),
          py::arg("shared"), py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
}
