// Codes and queries on which kernels for batches are tried.
#pragma once

#include <array>
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

// What kernels for batches are tried on.
struct BatchTrials {
    std::size_t seed, step;               // codes that are turned together
    std::vector<std::size_t> code_sizes;  // beside all up to 40 bytes
    std::vector<std::size_t> counts, counts_of_wide;
    std::array<std::uint64_t, 3> limits;  // beside those that any kernel may stumble over
    std::size_t first_step;
};

// Calls prepare(case, count), and what it returns with limits, the number of the first and a step, over and over.
// Returns how often.
template <class Prepare>
std::size_t for_each_batch(const BatchTrials& trials, Prepare prepare) {
    std::mt19937_64 random(trials.seed);
    std::vector<std::size_t> code_sizes = trials.code_sizes;
    for (std::size_t size = 1; size <= 40; ++size) code_sizes.push_back(size);
    const auto [low, middle, high] = trials.limits;
    std::size_t n_checks = 0;
    for (const std::size_t code_size : code_sizes) {
        const std::uint64_t max = 8 * code_size;
        const std::vector<std::uint64_t> limits{max + 1, 0,    256, max / 2, 0,   1,       max, low,
                                                middle,  high, 0,   0,       128, max / 3, 255, std::uint64_t{1} << 31};
        for (const std::size_t n_queries : {1u, 5u, 8u}) {
            const BatchCase c(trials.step, code_size, n_queries, random);
            for (const std::size_t count : code_size > 256 ? trials.counts_of_wide : trials.counts) {
                const auto check = prepare(c, count);
                for (std::size_t first = 0; first < limits.size(); first += n_queries == 1 ? 1 : 3)
                    for (const std::size_t step : {trials.first_step, count}) {
                        check(limits, first, step);
                        ++n_checks;
                    }
            }
        }
    }
    const BatchCase full(trials.step, 33, max_block_queries, random);
    const auto check = prepare(full, full.n_codes);
    for (const std::uint64_t limit : {130u, 255u, 265u}) check({limit, limit + 1}, 0, 96);
    return n_checks + 3;
}

}  // namespace hashindex
