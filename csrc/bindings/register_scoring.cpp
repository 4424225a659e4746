#include <string>

#include "../search/scoring.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

// Checks what codes and vectors have in common, and makes room for the scores.
template <class T>
Scoring checked(const Array<T>& candidates, const Array<float>& queries, Array<float>& scores) {
    require(candidates.ndim() == 3 && queries.ndim() == 2 && candidates.shape(0) == queries.shape(0),
            "candidates must have shape (n_queries, n_candidates, size)");
    scores = Array<float>({candidates.shape(0), candidates.shape(1)});
    return {queries.data(), static_cast<std::size_t>(candidates.shape(0)),
            static_cast<std::size_t>(candidates.shape(1)), static_cast<std::size_t>(queries.shape(1)),
            scores.mutable_data()};
}

Array<float> py_score_codes(const Array<std::uint8_t>& codes, const Array<float>& queries, const std::string& isa,
                            ThreadPool& pool, std::size_t n_threads) {
    Array<float> scores;
    const Scoring scoring = checked(codes, queries, scores);
    const auto code_size = static_cast<std::size_t>(codes.shape(2));
    require(scoring.n_dims <= 8 * code_size, "queries have more components than codes have bits");
    const std::uint8_t* data = codes.data();
    run_without_gil(find_kernel(isa), pool, n_threads,
                    [&](const Execution& execution, Unlocked&) { score_codes(data, code_size, scoring, execution); });
    return scores;
}

Array<float> py_score_vectors(const Array<float>& vectors, const Array<float>& queries, const std::string& isa,
                              ThreadPool& pool, std::size_t n_threads) {
    Array<float> scores;
    const Scoring scoring = checked(vectors, queries, scores);
    require(vectors.shape(2) == queries.shape(1), "queries and vectors differ in their components");
    const float* data = vectors.data();
    run_without_gil(find_kernel(isa), pool, n_threads,
                    [&](const Execution& execution, Unlocked&) { score_vectors(data, scoring, execution); });
    return scores;
}

}  // namespace

void register_scoring(py::module_& m) {
    const auto a = [](const char* name) { return py::arg(name).noconvert(); };
    m.def("score_codes", &py_score_codes, a("codes"), a("queries"), py::arg("isa"), py::arg("pool"),
          py::arg("n_threads"));
    m.def("score_vectors", &py_score_vectors, a("vectors"), a("queries"), py::arg("isa"), py::arg("pool"),
          py::arg("n_threads"));
}

}  // namespace hashindex
