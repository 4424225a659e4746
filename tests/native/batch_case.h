// Codes and queries on which kernels for batches are tried.
#pragma once

#include "reference.h"

namespace hashindex {

// Codes at every distance from the queries, which are near each other; whole sets of them far away, others equal.
struct BatchCase {
    BatchCase(std::size_t step, std::size_t size, std::size_t count, std::mt19937_64& random)
        : n_codes(2 * step + 45),
          code_size(size),
          n_queries(count),
          padded((count + query_step - 1) / query_step * query_step) {
        std::vector<unsigned char> centre(size);
        for (unsigned char& byte : centre) byte = static_cast<unsigned char>(random());
        for (std::size_t q = 0; q < n_queries; ++q) {
            queries.insert(queries.end(), centre.begin(), centre.end());
            if (q > 0) queries[q * size + random() % size] ^= static_cast<unsigned char>(random());
        }
        for (std::size_t i = 0; i < n_codes; ++i) {
            const bool is_far = i / step == 1 && i % 50 != 7;  // equal, far, anything, random
            const std::size_t kind = is_far ? 1 : i % 4, n_flips = random() % (8 * size + 1);
            for (std::size_t byte = 0; byte < size; ++byte)
                codes.push_back(kind == 3 ? static_cast<unsigned char>(random())
                                          : static_cast<unsigned char>(kind == 1 ? ~centre[byte] : centre[byte]));
            for (std::size_t flip = 0; kind == 2 && flip < n_flips; ++flip)
                codes[i * size + random() % size] ^= static_cast<unsigned char>(1u << random() % 8);
        }
        for (std::size_t q = 0; q < n_queries; ++q)
            for (std::size_t i = 0; i < n_codes; ++i)
                distances.push_back(slow_distance(queries.data() + q * size, codes.data() + i * size, size));
    }

    Codes of_queries() const { return {queries.data(), n_queries, code_size}; }

    std::size_t n_codes, code_size, n_queries, padded;
    std::vector<unsigned char> queries, codes;
    std::vector<std::uint64_t> distances;  // (n_queries, n_codes)
};

}  // namespace hashindex
