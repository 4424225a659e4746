#include <string>

#include "../search/count.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

py::tuple py_count_distances(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& queries,
                             const Array<std::uint32_t>& query_labels, const Array<std::uint32_t>& item_labels,
                             bool shared, const std::string& isa, ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes), q = as_codes(queries);
    require(c.code_size == q.code_size, "queries and codes differ in code_size");
    require(c.count < (std::uint64_t{1} << 32), "fewer than 2**32 codes are counted");
    require(query_labels.ndim() == 2 && item_labels.ndim() == 2 && query_labels.shape(1) == item_labels.shape(0) &&
                query_labels.shape(0) == queries.shape(0) && item_labels.shape(1) == codes.shape(0),
            "labels must have shapes (n_queries, n_words) and (n_words, n_codes)");
    Array<std::int64_t> counts({py::ssize_t{2}, queries.shape(0), 8 * codes.shape(1) + 1});
    std::int64_t* counts_data = counts.mutable_data();
    const Relevance relevance{query_labels.data(), item_labels.data(), static_cast<std::size_t>(item_labels.shape(0)),
                              shared};
    Work work;
    run_without_gil(find_kernel(isa), pool, n_threads, [&](const Execution& execution, Unlocked&) {
        count_distances(c, q, relevance, execution, counts_data, work);
    });
    return py::make_tuple(counts, work.isa);
}

}  // namespace

void register_count(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    m.def("count_distances", &py_count_distances, a("codes"), a("queries"), a("query_labels"), a("item_labels"),
          py::arg("shared"), py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
}

}  // namespace hashindex
