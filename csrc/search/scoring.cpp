#include "scoring.h"

#include <array>
#include <vector>

namespace hashindex {
namespace {

constexpr std::size_t lanes = 8;
using Lanes = std::array<double, lanes>;

// What the bits of each byte say, the most significant first.
constexpr std::array<Lanes, 256> make_signs() {
    std::array<Lanes, 256> signs{};
    for (std::size_t byte = 0; byte < 256; ++byte)
        for (std::size_t j = 0; j < lanes; ++j) signs[byte][j] = byte >> (lanes - 1 - j) & 1 ? 1.0 : -1.0;
    return signs;
}
constexpr std::array<Lanes, 256> signs = make_signs();

float total(const Lanes& sums) {
    return static_cast<float>(((sums[0] + sums[4]) + (sums[2] + sums[6])) +
                              ((sums[1] + sums[5]) + (sums[3] + sums[7])));
}

// Per 8 components: 8 multiplications and additions.
float score_code(const double* query, const unsigned char* code, std::size_t n_bytes) {
    Lanes sums{};
    for (std::size_t byte = 0; byte < n_bytes; ++byte, query += lanes)
        for (std::size_t j = 0; j < lanes; ++j) sums[j] += query[j] * signs[code[byte]][j];
    return total(sums);
}

float score_vector(const double* query, const float* vector, std::size_t n_dims) {
    Lanes sums{};
    std::size_t first = 0;
    for (; first + lanes <= n_dims; first += lanes)
        for (std::size_t j = 0; j < lanes; ++j) sums[j] += query[first + j] * static_cast<double>(vector[first + j]);
    for (std::size_t j = 0; first + j < n_dims; ++j)
        sums[j] += query[first + j] * static_cast<double>(vector[first + j]);
    return total(sums);
}

// Calls score(query, candidate) for all of each query, which is float64 with zeros up to whole lanes.
template <class Score>
void score_each(const Scoring& scoring, const Execution& execution, Score score) {
    execution.run(scoring.n_queries, [&](std::size_t q) {
        execution.stop.check();
        const float* const given = scoring.queries + q * scoring.n_dims;
        std::vector<double> query((scoring.n_dims + lanes - 1) / lanes * lanes, 0.0);
        for (std::size_t i = 0; i < scoring.n_dims; ++i) query[i] = static_cast<double>(given[i]);
        const std::size_t first = q * scoring.n_candidates;
        for (std::size_t i = first; i < first + scoring.n_candidates; ++i) scoring.scores[i] = score(query.data(), i);
    });
}

}  // namespace

void score_codes(const unsigned char* codes, std::size_t code_size, const Scoring& scoring,
                 const Execution& execution) {
    const std::size_t n_bytes = (scoring.n_dims + lanes - 1) / lanes;
    score_each(scoring, execution,
               [&](const double* query, std::size_t i) { return score_code(query, codes + i * code_size, n_bytes); });
}

void score_vectors(const float* vectors, const Scoring& scoring, const Execution& execution) {
    score_each(scoring, execution, [&](const double* query, std::size_t i) {
        return score_vector(query, vectors + i * scoring.n_dims, scoring.n_dims);
    });
}

}  // namespace hashindex
