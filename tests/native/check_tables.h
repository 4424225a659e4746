// Tables and their probes against the slow reference.
#pragma once

#include "../../csrc/search/multi_index.h"
#include "check_answers.h"
#include "owned_tables.h"

#include <cstring>

namespace hashindex {

// The bits under the mask, lowest byte and lowest bit first.
inline std::uint32_t slow_key(const unsigned char* code, const unsigned char* mask, std::size_t code_size) {
    std::uint32_t key = 0, place = 0;
    for (std::size_t bit = 0; bit < 8 * code_size; ++bit)
        if (mask[bit / 8] >> bit % 8 & 1) key |= static_cast<std::uint32_t>(code[bit / 8] >> bit % 8 & 1) << place++;
    return key;
}

inline void check_buckets(const Codes& codes, const OwnedTables& tables) {
    const std::string context =
        "code_size=" + std::to_string(codes.code_size) + " n_codes=" + std::to_string(codes.count);
    const std::uint32_t* offset = tables.offsets.data();
    const std::uint32_t* row = tables.rows.data();
    for (std::size_t t = 0; t < tables.widths.size(); ++t) {
        CHECK(*offset == 0, context);
        for (std::uint32_t key = 0; key < std::uint32_t{1} << tables.widths[t]; ++key, ++offset) {
            CHECK(offset[0] <= offset[1] && offset[1] <= codes.count, context);
            for (std::uint32_t i = offset[0]; i < offset[1]; ++i, ++row) {
                CHECK(*row < codes.count, context);
                CHECK(slow_key(codes.row(*row), tables.masks.data() + t * codes.code_size, codes.code_size) == key,
                      context);
                CHECK(i == offset[0] || row[-1] < row[0], context);
                if (t >= tables.n_copied) continue;
                std::uint64_t copy = 0;
                std::memcpy(&copy, codes.row(*row), codes.code_size);
                CHECK(tables.copies[static_cast<std::size_t>(row - tables.rows.data())] == copy, context);
            }
        }
        CHECK(*offset++ == codes.count, context);
    }
}

// Large radii visit every bucket of every table: they are asked of small tables only.
inline bool too_many_buckets(const OwnedTables& tables, std::uint32_t radius, std::uint32_t n_bits) {
    return tables.widths[0] > 8 && radius > n_bits / 8;
}

inline void check_probes(const Reference& truth, const OwnedTables& tables, const Execution& execution) {
    const Codes queries = truth.queries();
    const Rows rows{truth.codes(), truth.removed()};
    const std::uint32_t n_bits = truth.n_bits();
    const std::string context = described(truth, execution);
    const bool any = rows.codes.count > 0 && queries.count > 0;
    for_each_search(
        truth,
        [&](std::uint32_t radius, const std::vector<std::vector<Hit>>& expected) {
            if (too_many_buckets(tables, radius, n_bits)) return;
            const std::vector<std::int32_t> radii(queries.count, static_cast<std::int32_t>(radius));
            Work work;
            HitBudget unbounded(0);
            CHECK(by_query(probe_radius(rows, tables.view(), queries, radii.data(), tables.thresholds(radius).data(),
                                        execution, work, unbounded)) == expected,
                  context + " r=" + std::to_string(radius));
            CHECK(ran_right(work, execution, any && radius == n_bits), context);
        },
        [&](std::size_t k, std::uint32_t radius, const Reference::Nearest& expected) {
            if (too_many_buckets(tables, radius, n_bits)) return;
            const std::vector<std::int32_t> radii(queries.count, static_cast<std::int32_t>(radius));
            Work work;
            for (const double scan_cost : {1e300, 20.0}) {  // never left; left after some shells
                const Reference::Nearest found = run_nearest(queries.count, k, [&](const NearestOutput& output) {
                    probe_nearest(rows, tables.view(), queries, radii.data(), tables.shells(), scan_cost, execution,
                                  output, work);
                });
                CHECK(found == expected, context + " k=" + std::to_string(k) + " r=" + std::to_string(radius));
            }
        });
}

}  // namespace hashindex
