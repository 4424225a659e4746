// What searches answer, compared with the slow reference.
#pragma once

#include "../../csrc/search/execution.h"
#include "../../csrc/search/results.h"
#include "reference.h"

namespace hashindex {

// Runs search(output) on arrays full of rubbish: every place must be written.
template <class Search>
Reference::Nearest run_nearest(std::size_t n_queries, std::size_t k, Search search) {
    Reference::Nearest result{std::vector<std::int32_t>(n_queries * k, -7),
                              std::vector<std::int64_t>(n_queries * k, -7)};
    search(NearestOutput{result.distances.data(), result.rows.data(), k});
    return result;
}

inline std::vector<std::vector<Hit>> by_query(const RadiusHits& blocks) {
    std::vector<std::vector<Hit>> lists;
    for (const BlockHits& block : blocks) {
        std::size_t begin = 0;
        for (const std::size_t end : block.ends) {
            lists.emplace_back(block.hits.begin() + static_cast<std::ptrdiff_t>(begin),
                               block.hits.begin() + static_cast<std::ptrdiff_t>(end));
            begin = end;
        }
    }
    return lists;
}

inline std::string described(const Reference& truth, const Execution& execution) {
    return std::string(execution.kernel.isa) + " code_size=" + std::to_string(truth.codes().code_size) +
           " n_codes=" + std::to_string(truth.codes().count) + " n_queries=" + std::to_string(truth.queries().count) +
           " threads=" + std::to_string(execution.n_threads);
}

inline bool ran_right(const Work& work, const Execution& execution, bool must_run) {
    return work.isa == execution.kernel.isa || (work.isa == nullptr && !must_run);
}

// Calls check(radius, all within it), then check_nearest(k, radius, the k nearest within it).
template <class Check, class CheckNearest>
void for_each_search(const Reference& truth, Check check, CheckNearest check_nearest) {
    const std::uint32_t n_bits = truth.n_bits();
    for (const std::uint32_t radius : {0u, 1u, n_bits / 8, n_bits / 2, n_bits}) check(radius, truth.within(radius));
    for (const std::size_t k : {std::size_t{1}, std::size_t{2}, std::size_t{9}, truth.codes().count}) {
        if (k < 1 || k > truth.codes().count) continue;
        for (const std::uint32_t radius : {0u, n_bits / 8, n_bits}) check_nearest(k, radius, truth.nearest(k, radius));
    }
}

// What within(radii, work) and nearest(radii, output, work) answer.
template <class Within, class Nearest>
void check_answers(const Reference& truth, const Execution& execution, const std::string& what, Within within,
                   Nearest nearest) {
    const std::size_t n_queries = truth.queries().count;
    const std::string context = described(truth, execution) + what;
    const bool any = truth.codes().count > 0 && n_queries > 0;
    for_each_search(
        truth,
        [&](std::uint32_t radius, const std::vector<std::vector<Hit>>& expected) {
            const std::vector<std::int32_t> radii(n_queries, static_cast<std::int32_t>(radius));
            Work work;
            CHECK(by_query(within(radii.data(), work)) == expected, context + " r=" + std::to_string(radius));
            CHECK(ran_right(work, execution, any), context);
        },
        [&](std::size_t k, std::uint32_t radius, const Reference::Nearest& expected) {
            const std::vector<std::int32_t> radii(n_queries, static_cast<std::int32_t>(radius));
            const std::string which = context + " k=" + std::to_string(k) + " r=" + std::to_string(radius);
            Work work;
            CHECK(run_nearest(n_queries, k,
                              [&](const NearestOutput& output) { nearest(radii.data(), output, work); }) == expected,
                  which);
            CHECK(ran_right(work, execution, any), which);
        });
}

}  // namespace hashindex
