// Dot products of float queries with candidates: codes, whose bits say +1 or -1, or float vectors.
//
// Sums are float64 in a fixed order, so that every machine and engine has the same bits: lane j of 8 adds up components
// j, j + 8, ..., then ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). Products of float32 are exact in float64, so it does
// not matter whether they are fused with the addition.
#pragma once

#include "execution.h"

namespace hashindex {

// Queries (n_queries, n_dims), each with its own n_candidates; scores (n_queries, n_candidates).
struct Scoring {
    const float* queries;
    std::size_t n_queries, n_candidates, n_dims;
    float* scores;
};

// `codes` (n_queries, n_candidates, code_size), where n_dims <= 8 * code_size; bits behind the last component are
// ignored.
void score_codes(const unsigned char* codes, std::size_t code_size, const Scoring& scoring, const Execution& execution);

// `vectors` (n_queries, n_candidates, n_dims).
void score_vectors(const float* vectors, const Scoring& scoring, const Execution& execution);

}  // namespace hashindex
