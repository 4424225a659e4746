// Codes and queries on which kernels for batches are tried.
#pragma once

#include <memory>

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

// Every query with a limit of its own, from limits[first] on; the first codes of the case, a tile or a run of some
// kind, met in parts of `step` and more by within(part, limits, hits).
template <class Batch, class Within>
void check_batch(const BatchCase& c, const Batch& batch, const std::vector<std::uint64_t>& limits, std::size_t first,
                 std::size_t step, const std::string& kernel, Within within) {
    const std::string which = kernel + " code_size=" + std::to_string(c.code_size) +
                              " n_queries=" + std::to_string(c.n_queries) + " count=" + std::to_string(batch.n_codes) +
                              " limit=" + std::to_string(limits[first]) + " step=" + std::to_string(step);
    std::vector<std::uint64_t> own(c.padded, 0);
    for (std::size_t q = 0; q < c.n_queries; ++q) own[q] = limits[(first + q) % limits.size()];
    std::vector<std::vector<Hit>> expected(c.n_queries), found(c.n_queries);
    for (std::size_t q = 0; q < c.n_queries; ++q)
        for (std::size_t i = 0; i < batch.n_codes; ++i)
            if (c.distances[q * c.n_codes + i] < own[q])
                expected[q].push_back(make_hit(c.distances[q * c.n_codes + i], i));
    for (std::size_t done = 0; done < batch.n_codes; step *= 2) {
        const Batch part = batch.part(done, step);
        CHECK(part.n_codes > 0 && part.n_codes <= step, which);
        const std::unique_ptr<Hit[]> hits(new Hit[part.n_codes * c.padded]);
        const Found n = within(part, own.data(), hits.get());
        CHECK(kernel.rfind(std::string(n.isa) + " ", 0) == 0 && n.count <= part.n_codes * c.padded, which);
        for (std::size_t i = 0; i < n.count; ++i) {
            CHECK(hit_query(hits[i]) < c.n_queries, which);
            found[hit_query(hits[i])].push_back(without_query(hits[i]) + done);
        }
        done += part.n_codes;
    }
    CHECK(found == expected, which);
}

}  // namespace hashindex
