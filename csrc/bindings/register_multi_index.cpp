#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../search/multi_index.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

// masks, widths, offsets, rows, copies: the fields of hashindex.engines.tables.Tables.
using TableArrays = std::tuple<Array<std::uint8_t>, Array<std::int32_t>, Array<std::uint32_t>, Array<std::uint32_t>,
                               Array<std::uint64_t>>;

std::size_t n_offsets_of(const Array<std::uint8_t>& masks, const Array<std::int32_t>& widths, std::size_t code_size) {
    require(widths.ndim() == 1 && widths.size() >= 1, "there must be a table");
    const Codes view = as_codes(masks);
    require(view.code_size == code_size && view.count == static_cast<std::size_t>(widths.size()),
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

Tables as_tables(const TableArrays& arrays, std::size_t n_codes, std::size_t code_size) {
    const auto& [masks, widths, offsets, rows, copies] = arrays;
    const std::size_t n_offsets = n_offsets_of(masks, widths, code_size);
    const auto n_tables = static_cast<std::size_t>(widths.size());
    require(offsets.ndim() == 1 && static_cast<std::size_t>(offsets.size()) == n_offsets, "offsets do not fit widths");
    require(static_cast<std::size_t>(rows.size()) == n_tables * n_codes, "rows must have shape (n_tables, n_codes)");
    const auto n_copied = copies.ndim() == 2 ? static_cast<std::size_t>(copies.shape(0)) : n_tables + 1;
    require(n_copied <= n_tables && static_cast<std::size_t>(copies.size()) == n_copied * n_codes,
            "copies must have shape (n_copied, n_codes)");
    require(n_copied == 0 || code_size <= sizeof(std::uint64_t), "only codes of one word are copied");
    return {masks.data(), widths.data(), offsets.data(), rows.data(), copies.data(), n_tables, n_copied};
}

// The structure with the arrays that it borrows.
class BoundMultiIndex final : public Structure {
public:
    BoundMultiIndex(TableArrays arrays, const Array<std::int32_t>& thresholds, const Array<std::int32_t>& shells,
                    const Array<double>& costs, double scan_cost)
        : arrays_(std::move(arrays)), inner_(make(arrays_, thresholds, shells, costs, scan_cost)) {}

    RadiusHits radius(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                      Work& work, HitBudget& budget) const override {
        return inner_.radius(rows, queries, radii, execution, work, budget);
    }
    void nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                 const NearestOutput& output, Work& work) const override {
        inner_.nearest(rows, queries, radii, execution, output, work);
    }
    bool fits(const Codes& codes) const override {
        const auto n_tables = static_cast<std::size_t>(std::get<1>(arrays_).size());
        return codes.code_size == static_cast<std::size_t>(std::get<0>(arrays_).shape(1)) &&
               codes.count * n_tables == static_cast<std::size_t>(std::get<3>(arrays_).size());
    }

private:
    static MultiIndex make(const TableArrays& arrays, const Array<std::int32_t>& thresholds,
                           const Array<std::int32_t>& shells, const Array<double>& costs, double scan_cost) {
        const auto& [masks, widths, offsets, rows, copies] = arrays;
        require(masks.ndim() == 2 && rows.ndim() == 2, "masks and rows must have two axes");
        const Tables tables =
            as_tables(arrays, static_cast<std::size_t>(rows.shape(1)), static_cast<std::size_t>(masks.shape(1)));
        require(thresholds.ndim() == 1 && static_cast<std::size_t>(thresholds.size()) == tables.n_tables,
                "thresholds and widths differ");
        for (std::size_t t = 0; t < tables.n_tables; ++t)
            require(thresholds.data()[t] <= tables.widths[t], "threshold > width");
        require(shells.ndim() == 2 && shells.shape(1) == 2 && shells.shape(0) == costs.size(), "a cost per shell");
        std::vector<Shell> steps;
        std::vector<std::int32_t> next(tables.n_tables, 0);
        for (py::ssize_t s = 0; s < shells.shape(0); ++s) {
            const std::int32_t t = shells.at(s, 0), flips = shells.at(s, 1);
            require(t >= 0 && static_cast<std::size_t>(t) < tables.n_tables, "a shell of no table");
            require(flips == next[static_cast<std::size_t>(t)]++ && flips <= tables.widths[t],
                    "shells must count up from 0");
            steps.push_back({t, flips, costs.at(s)});
        }
        return {tables, {thresholds.data(), thresholds.data() + thresholds.size()}, std::move(steps), scan_cost};
    }

    const TableArrays arrays_;
    const MultiIndex inner_;
};

py::tuple py_build_tables(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& masks,
                          const Array<std::int32_t>& widths, py::ssize_t n_copied, const std::string& isa,
                          ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes);
    require(c.count < (std::uint64_t{1} << 32), "tables hold fewer than 2**32 codes");
    require(n_copied >= 0, "n_copied < 0");
    Array<std::uint32_t> offsets(static_cast<py::ssize_t>(n_offsets_of(masks, widths, c.code_size)));
    Array<std::uint32_t> rows({widths.size(), codes.shape(0)});
    Array<std::uint64_t> copies({n_copied, codes.shape(0)});
    std::uint32_t* offsets_data = offsets.mutable_data();
    std::uint32_t* rows_data = rows.mutable_data();
    std::uint64_t* copies_data = copies.mutable_data();
    const Tables layout = as_tables({masks, widths, offsets, rows, copies}, c.count, c.code_size);
    run_without_gil(find_kernel(isa), pool, n_threads, [&](const Execution& execution, Unlocked&) {
        build_tables(c, layout, offsets_data, rows_data, copies_data, execution);
    });
    return py::make_tuple(offsets, rows, copies);
}

}  // namespace

void register_multi_index(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    py::class_<BoundMultiIndex, Structure, std::shared_ptr<BoundMultiIndex>>(m, "MultiIndex")
        .def(py::init<TableArrays, const Array<std::int32_t>&, const Array<std::int32_t>&, const Array<double>&,
                      double>(),
             a("tables"), a("thresholds"), a("shells"), a("costs"), py::arg("scan_cost"));
    m.def("build_tables", &py_build_tables, a("codes"), a("masks"), a("widths"), py::arg("n_copied"), py::arg("isa"),
          py::arg("pool"), py::arg("n_threads"));
}

}  // namespace hashindex
