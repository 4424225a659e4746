// What is found out about a sample: distances of all pairs, and how bits are dealt to tables.
#pragma once

#include "../../csrc/search/deal.h"
#include "../../csrc/search/distances.h"
#include "../../csrc/search/distinct.h"
#include "check_answers.h"

#include <bitset>
#include <set>
#include <string>

namespace hashindex {

inline void check_distances(const Reference& truth, const Kernel& kernel) {
    const Codes queries = truth.queries(), codes = truth.codes();
    std::vector<std::int32_t> distances(queries.count * codes.count, -1);
    distances_between(queries, codes, kernel, distances.data());
    for (std::size_t q = 0; q < queries.count; ++q)
        for (std::size_t i = 0; i < codes.count; ++i)
            CHECK(static_cast<std::uint64_t>(distances[q * codes.count + i]) ==
                      slow_distance(queries.row(q), codes.row(i), codes.code_size),
                  std::string(kernel.isa) + " distances between all pairs");
}

inline void check_key_differences(const Codes& codes, const Kernel& kernel) {
    if (codes.count == 0) return;
    constexpr std::size_t n_masks = 3, most_bytes = most_key_bits / 8;
    std::vector<unsigned char> bytes(n_masks * codes.code_size, 0);
    for (std::size_t t = 0; t < n_masks; ++t)
        for (std::size_t i = 0; i < most_bytes; ++i)
            bytes[t * codes.code_size + (t + 5 * i) % codes.code_size] = t == 0 ? 0xff : 0xa5;
    const Codes masks{bytes.data(), n_masks, codes.code_size};
    const std::vector<std::int64_t> rows{0, static_cast<std::int64_t>(codes.count / 2), 0,
                                         static_cast<std::int64_t>(codes.count - 1), 0};
    std::vector<std::int64_t> counts(masks.count * (most_key_bits + 1), -1);
    key_differences(codes, rows.data(), rows.size(), masks, kernel, counts.data());
    for (std::size_t t = 0; t < masks.count; ++t) {
        std::vector<std::int64_t> expected(most_key_bits + 1, 0);
        for (const std::int64_t row : rows)
            for (std::size_t i = 0; i < codes.count; ++i) {
                std::size_t n = 0;
                for (std::size_t byte = 0; byte < codes.code_size; ++byte)
                    n += std::bitset<8>((codes.row(static_cast<std::size_t>(row))[byte] ^ codes.row(i)[byte]) &
                                        masks.row(t)[byte])
                             .count();
                ++expected[n];
            }
        for (std::size_t n = 0; n <= most_key_bits; ++n)
            CHECK(counts[t * (most_key_bits + 1) + n] == expected[n], std::string(kernel.isa) + " differing keys");
    }
}

inline void check_ranks(const Codes& codes, const Kernel& kernel) {
    if (codes.count < 2) return;
    std::size_t n_ranks = 1;
    while (std::size_t{1} << n_ranks < codes.count) ++n_ranks;
    const std::vector<std::int64_t> rows{0, static_cast<std::int64_t>(codes.count / 2)};
    std::vector<double> found(rows.size() * n_ranks, -1);
    distances_by_rank(codes, rows.data(), rows.size(), n_ranks, kernel, found.data());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::vector<std::uint64_t> distances;
        for (std::size_t j = 0; j < codes.count; ++j)
            distances.push_back(
                slow_distance(codes.row(static_cast<std::size_t>(rows[i])), codes.row(j), codes.code_size));
        std::sort(distances.begin(), distances.end());  // itself first
        for (std::size_t rank = 0; rank < n_ranks; ++rank)
            CHECK(found[i * n_ranks + rank] == static_cast<double>(distances[std::size_t{1} << rank]),
                  std::string(kernel.isa) + " distances by rank");
    }
}

// Of few codes exactly, but for hashes that codes of several words share. The numbers are compared with NumPy's
// (tests/segments/test_distinct.py).
inline void check_distinct(const Codes& codes) {
    std::set<std::string> values;
    for (std::size_t i = 0; i < codes.count; ++i)
        values.insert(std::string(reinterpret_cast<const char*>(codes.row(i)), codes.code_size));
    const std::size_t found = estimate_distinct(codes), shared = codes.code_size > 8 ? 1 + values.size() / 20 : 0;
    if (codes.count < 8192) CHECK(found <= values.size() && found + shared >= values.size(), "distinct codes");
    else CHECK(found >= 1 && found <= codes.count, "distinct codes, about");
}

// Every kernel deals the same bits, to each table as many as were asked for, each to one table. Which ones they are is
// compared with NumPy's (tests/structures/test_sampling.py).
inline void check_dealing(const Codes& codes, const std::vector<const Kernel*>& kernels) {
    for (const std::size_t n_bits : {8 * codes.code_size, 8 * codes.code_size - 3})
        for (const std::size_t n_tables : {std::size_t{1}, std::size_t{3}, n_bits})
            for (const std::size_t step : {1u, 7u}) {
                if (n_tables > n_bits) continue;
                const std::size_t width = std::min<std::size_t>(n_bits / n_tables, 20);
                std::vector<unsigned char> first;
                for (const Kernel* kernel : kernels) {
                    std::vector<unsigned char> masks(n_tables * codes.code_size, 0);
                    deal(codes, {step, n_bits, n_tables, width}, *kernel, masks.data());
                    if (first.empty()) first = masks;
                    CHECK(masks == first, std::string(kernel->isa) + " dealing");
                }
                std::vector<std::size_t> dealt(8 * codes.code_size, 0);
                for (std::size_t t = 0; t < n_tables; ++t) {
                    std::size_t n = 0;
                    for (std::size_t bit = 0; bit < dealt.size(); ++bit) {
                        if (!(first[t * codes.code_size + bit / 8] >> (7 - bit % 8) & 1)) continue;
                        ++n;
                        CHECK(++dealt[bit] == 1 && bit < n_bits, "a bit in two tables, or in none of the code's");
                    }
                    CHECK(n == width, "a table of another width");
                }
            }
}

}  // namespace hashindex
