// What is found out about a sample: distances of all pairs, and how bits are dealt to tables.
#pragma once

#include "../../csrc/search/deal.h"
#include "../../csrc/search/distances.h"
#include "check_answers.h"

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
