// Clusters, also damaged ones and searches that stop early, against the slow reference.
#pragma once

#include "../../csrc/search/cluster_codes.h"
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

// What the arrays say of each code puts the codes in the same order again.
inline void check_cluster_order(const Codes& codes, const Clusters& clusters) {
    std::vector<std::int64_t> of(codes.count), firsts(clusters.n_clusters + 1);
    std::vector<std::int32_t> distances(codes.count), nearest(clusters.n_clusters);
    read_clusters(clusters, of.data(), distances.data());
    const ClusterOrder order(codes, of.data(), distances.data(), clusters.n_clusters);
    CHECK(order.n_places() == clusters.n_places, "n_places");
    std::vector<std::uint32_t> places(order.n_places()), rows(codes.count);
    std::vector<unsigned char> ordered(codes.count * codes.code_size);
    order.write(nearest.data(), firsts.data(), places.data(), rows.data(), ordered.data());
    CHECK(std::equal(nearest.begin(), nearest.end(), clusters.nearest), "nearest");
    CHECK(std::equal(firsts.begin(), firsts.end(), clusters.firsts), "firsts");
    CHECK(std::equal(places.begin(), places.end(), clusters.places), "places");
    CHECK(std::equal(rows.begin(), rows.end(), clusters.rows), "rows");
    CHECK(std::equal(ordered.begin(), ordered.end(), clusters.codes), "codes");
}

// Arrays of a damaged file: each code is in some cluster or in none.
inline void check_damaged_order(Clusters clusters) {
    std::mt19937_64 random(clusters.n_codes);
    std::vector<std::int64_t> of(clusters.n_codes), firsts(clusters.n_clusters + 1);
    std::vector<std::int32_t> distances(clusters.n_codes), nearest(clusters.n_clusters);
    std::vector<std::uint32_t> places(clusters.n_places), rows(clusters.n_codes);
    clusters.nearest = nearest.data();
    clusters.firsts = firsts.data();
    clusters.places = places.data();
    clusters.rows = rows.data();
    for (const std::uint64_t mask : {std::uint64_t{7}, std::uint64_t{255}, ~std::uint64_t{0} >> 1, ~std::uint64_t{0}}) {
        const auto anything = [&] { return random() % 4 ? random() & mask : mask; };
        for (std::int64_t& first : firsts) first = static_cast<std::int64_t>(anything());
        for (std::int32_t& distance : nearest) distance = static_cast<std::int32_t>(anything());
        for (std::uint32_t& place : places) place = static_cast<std::uint32_t>(anything());
        for (std::uint32_t& row : rows) row = static_cast<std::uint32_t>(anything());
        read_clusters(clusters, of.data(), distances.data());
        for (const std::int64_t cluster : of)
            CHECK(cluster >= -1 && cluster < static_cast<std::int64_t>(clusters.n_clusters), "of");
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
    check_cluster_order(rows.codes, clusters.view());
    check_damaged_order(clusters.view());
}

}  // namespace hashindex
