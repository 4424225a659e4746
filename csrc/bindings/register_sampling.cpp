#include "../search/deal.h"
#include "../search/distances.h"
#include "../search/distinct.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

const Kernel& best_kernel() { return *available_kernels().front(); }

Array<std::int32_t> py_distances_between(const Array<std::uint8_t>& a, const Array<std::uint8_t>& b) {
    const Codes some = as_codes(a), others = as_codes(b);
    require(some.code_size == others.code_size, "the codes differ in code_size");
    require(some.code_size <= 8192, "codes have at most 65,536 bits");
    Array<std::int32_t> distances({a.shape(0), b.shape(0)});
    std::int32_t* const data = distances.mutable_data();
    {
        const Unlocked unlocked;
        distances_between(some, others, best_kernel(), data);
    }
    return distances;
}

Array<double> py_distances_by_rank(const Array<std::uint8_t>& codes, const Array<std::int64_t>& rows,
                                   std::size_t n_ranks) {
    const Codes view = as_codes(codes);
    require(view.code_size <= 8192, "codes have at most 65,536 bits");
    require(n_ranks >= 1 && n_ranks < 64 && std::uint64_t{1} << (n_ranks - 1) < view.count, "fewer codes than ranks");
    require(rows.ndim() == 1, "rows must have shape (n,)");
    const auto n_rows = static_cast<std::size_t>(rows.size());
    for (std::size_t i = 0; i < n_rows; ++i)
        require(rows.data()[i] >= 0 && static_cast<std::size_t>(rows.data()[i]) < view.count, "a row of no code");
    Array<double> found({n_rows, n_ranks});
    double* const data = found.mutable_data();
    {
        const Unlocked unlocked;
        distances_by_rank(view, rows.data(), n_rows, n_ranks, best_kernel(), data);
    }
    return found;
}

std::size_t py_estimate_distinct(const Array<std::uint8_t>& codes) {
    const Codes view = as_codes(codes);
    const Unlocked unlocked;
    return estimate_distinct(view);
}

Array<std::uint8_t> py_deal(const Array<std::uint8_t>& codes, std::size_t step, std::size_t n_bits,
                            std::size_t n_tables, std::size_t width) {
    const Codes view = as_codes(codes);
    require(step >= 1 && view.count / step < 65536, "fewer than 65,536 codes are looked at");
    require(n_bits <= 8 * view.code_size, "codes have fewer bits");
    require(n_tables >= 1 && n_tables <= n_bits && width >= 1 && width <= n_bits / n_tables, "tables share no bits");
    Array<std::uint8_t> masks({n_tables, (n_bits + 7) / 8});
    std::uint8_t* const data = masks.mutable_data();
    std::fill_n(data, masks.size(), std::uint8_t{0});
    {
        const Unlocked unlocked;
        deal(view, {step, n_bits, n_tables, width}, best_kernel(), data);
    }
    return masks;
}

}  // namespace

void register_sampling(py::module_& m) {
    m.def("distances_between", &py_distances_between, py::arg("a").noconvert(), py::arg("b").noconvert());
    m.def("deal", &py_deal, py::arg("codes").noconvert(), py::arg("step"), py::arg("n_bits"), py::arg("n_tables"),
          py::arg("width"));
    m.def("distances_by_rank", &py_distances_by_rank, py::arg("codes").noconvert(), py::arg("rows").noconvert(),
          py::arg("n_ranks"));
    m.def("estimate_distinct", &py_estimate_distinct, py::arg("codes").noconvert());
}

}  // namespace hashindex
