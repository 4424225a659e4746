#include <bitset>

#include "../search/deal.h"
#include "../search/distances.h"
#include "../search/distinct.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

const Kernel& best_kernel() { return *available_kernels().front(); }

constexpr const char* no_code = "a row of no code";

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
    const auto [begin, n_rows] = as_rows(rows, view.count, no_code);
    Array<double> found({n_rows, n_ranks});
    double* const data = found.mutable_data();
    {
        const Unlocked unlocked;
        distances_by_rank(view, begin, n_rows, n_ranks, best_kernel(), data);
    }
    return found;
}

Array<std::int64_t> py_key_differences(const Array<std::uint8_t>& codes, const Array<std::int64_t>& rows,
                                       const Array<std::uint8_t>& masks) {
    const Codes view = as_codes(codes), tables = as_codes(masks);
    require(view.code_size == tables.code_size, "codes and masks differ in code_size");
    require(view.count < std::size_t{1} << 20, "fewer than 2**20 codes are looked at");
    for (std::size_t t = 0; t < tables.count; ++t) {
        std::size_t n_bits = 0;
        for (const std::uint64_t word : words_of(tables, t, 1, 1)) n_bits += std::bitset<64>(word).count();
        require(n_bits <= most_key_bits, "a mask selects more than 32 bits");
    }
    const auto [begin, n_rows] = as_rows(rows, view.count, no_code);
    Array<std::int64_t> counts({tables.count, most_key_bits + 1});
    std::int64_t* const data = counts.mutable_data();
    {
        const Unlocked unlocked;
        key_differences(view, begin, n_rows, tables, best_kernel(), data);
    }
    return counts;
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
    m.def("key_differences", &py_key_differences, py::arg("codes").noconvert(), py::arg("rows").noconvert(),
          py::arg("masks").noconvert());
    m.def("estimate_distinct", &py_estimate_distinct, py::arg("codes").noconvert());
}

}  // namespace hashindex
