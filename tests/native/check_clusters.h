// Clusters, also damaged ones and searches that stop early, against the slow reference.
#pragma once

#include "check_answers.h"
#include "owned_clusters.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

namespace hashindex {

// What is proven is exact; the rest is ordered, as many as there should be, and no nearer than the nearest are.
inline void check_stopping_early(const Reference& truth, const Clusters& clusters, const Execution& execution) {
    const Codes queries = truth.queries();
    const Rows rows{truth.codes(), truth.removed()};
    const std::string context = described(truth, execution) + " stopping early";
    for_each_search(
        truth, [](std::uint32_t, const std::vector<std::vector<Hit>>&) {},
        [&](std::size_t k, std::uint32_t, const Reference::Nearest&) {
            const std::vector<std::int32_t> radii(queries.count, static_cast<std::int32_t>(8 * rows.codes.code_size));
            Work work;
            const auto run = [&](std::size_t most, bool* proven) {
                return run_nearest(queries.count, k, [&](NearestOutput output) {
                    output.proven = proven;
                    clusters_nearest(rows, clusters, queries, radii.data(), execution, output, work, most);
                });
            };
            const Reference::Nearest exact = run(0, nullptr);
            CHECK(run(clusters.n_clusters, nullptr) == exact, context);
            const std::unique_ptr<bool[]> proven(new bool[queries.count]);
            std::fill_n(proven.get(), queries.count, true);
            const Reference::Nearest found = run(1, proven.get());
            CHECK(run(1, nullptr) == found, context);
            for (std::size_t i = 0; i < queries.count * k; ++i) {
                const bool is_exact = found.distances[i] == exact.distances[i] && found.rows[i] == exact.rows[i];
                CHECK(is_exact || !proven[i / k], context);
                CHECK(found.distances[i] >= exact.distances[i], context);
                CHECK((found.rows[i] < 0) == (exact.rows[i] < 0), context);
                CHECK(i % k == 0 || found.rows[i] < 0 || found.distances[i - 1] < found.distances[i] ||
                          (found.distances[i - 1] == found.distances[i] && found.rows[i - 1] < found.rows[i]),
                      context);
            }
        });
}

// Directories of a damaged file: whatever they say, searches end and touch nothing that is not theirs.
inline void check_damaged_clusters(const Reference& truth, Clusters clusters, const Execution& execution) {
    const std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       most = std::numeric_limits<std::int64_t>::max();
    const Rows rows{truth.codes(), truth.removed()};
    const Codes queries = truth.queries();
    const std::vector<std::uint32_t> places(clusters.n_places, std::numeric_limits<std::uint32_t>::max());
    const std::vector<std::int32_t> radii(queries.count, static_cast<std::int32_t>(truth.n_bits() / 4));
    clusters.places = places.data();
    for (const std::array<std::int64_t, 2>& pattern : {std::array{least, most}, {most, least}, {-1, most}, {0, 1}}) {
        std::vector<std::int64_t> firsts(clusters.n_clusters + 1);
        for (std::size_t c = 0; c < firsts.size(); ++c) firsts[c] = pattern[c % 2];
        clusters.firsts = firsts.data();
        Work work;
        HitBudget unbounded(0);
        clusters_radius(rows, clusters, queries, radii.data(), execution, work, unbounded);
        CHECK(work.lookups <= clusters.n_clusters * queries.count, described(truth, execution));
    }
}

inline void check_clusters(const Reference& truth, std::size_t n_clusters, const Execution& execution) {
    const Codes queries = truth.queries();
    const Rows rows{truth.codes(), truth.removed()};
    const OwnedClusters clusters(rows.codes, n_clusters);
    HitBudget unbounded(0);
    check_answers(
        truth, execution, " n_clusters=" + std::to_string(n_clusters),
        [&](const std::int32_t* radii, Work& work) {
            return clusters_radius(rows, clusters.view(), queries, radii, execution, work, unbounded);
        },
        [&](const std::int32_t* radii, const NearestOutput& output, Work& work) {
            clusters_nearest(rows, clusters.view(), queries, radii, execution, output, work);
        });
    check_stopping_early(truth, clusters.view(), execution);
    check_damaged_clusters(truth, clusters.view(), execution);
}

}  // namespace hashindex
