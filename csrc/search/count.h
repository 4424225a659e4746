// Histograms of distances: for each query, how many codes lie at each distance, and how many of them are relevant.
#pragma once

#include "codes.h"
#include "execution.h"
#include "results.h"

namespace hashindex {

// What makes a code relevant to a query: label words of both. Borrowed.
struct Relevance {
    const std::uint32_t* queries;  // (n_queries, n_words)
    const std::uint32_t* items;    // (n_words, n_codes): word w of code i is items[w * n_codes + i]
    std::size_t n_words;
    bool shared;  // relevant are those with a bit in common; else those whose words are all equal
};

// Fills `counts` (2, n_queries, 8 * code_size + 1): all codes, then the relevant ones. Codes are fewer than 2**32.
void count_distances(const Codes& codes, const Codes& queries, const Relevance& relevance, const Execution& execution,
                     std::int64_t* counts, Work& work);

}  // namespace hashindex
