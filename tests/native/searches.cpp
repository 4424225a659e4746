// Scan, multi-index, clusters and folds against the slow reference: every kernel of this CPU, 1 and 3 threads.
#include "../../csrc/kernels/dispatch.h"
#include "../../csrc/search/count.h"
#include "../../csrc/search/folds.h"
#include "../../csrc/search/plan.h"
#include "../../csrc/search/scan.h"
#include "check_answers.h"
#include "check_clusters.h"
#include "check_ids.h"
#include "check_samples.h"
#include "check_tables.h"

#include <memory>

using namespace hashindex;

namespace {

void check_scans(const Reference& truth, const Execution& execution) {
    const Codes queries = truth.queries();
    const Rows rows{truth.codes(), truth.removed()};
    HitBudget unbounded(0);
    check_answers(
        truth, execution, " scan",
        [&](const std::int32_t* radii, Work& work) {
            return scan_radius(rows, queries, radii, execution, work, unbounded);
        },
        [&](const std::int32_t* radii, const NearestOutput& output, Work& work) {
            scan_nearest(rows, queries, radii, execution, output, work);
        });
}

void check_folds(const Reference& truth, std::size_t fold_size, const Execution& execution) {
    const Codes queries = truth.queries();
    const Rows rows{truth.codes(), truth.removed()};
    std::vector<unsigned char> bytes(rows.codes.count * fold_size, 0);
    for (std::size_t row = 0; row < rows.codes.count; ++row)
        for (std::size_t i = 0; i < rows.codes.code_size; ++i)
            bytes[row * fold_size + i % fold_size] =
                static_cast<unsigned char>(bytes[row * fold_size + i % fold_size] ^ rows.codes.row(row)[i]);
    std::vector<unsigned char> built(bytes.size(), 1);
    build_folds(rows.codes, fold_size, built.data(), execution);
    CHECK(built == bytes, described(truth, execution));
    const Folds folds{{bytes.data(), rows.codes.count, fold_size}};
    HitBudget unbounded(0);
    check_answers(
        truth, execution, " fold_size=" + std::to_string(fold_size),
        [&](const std::int32_t* radii, Work& work) {
            return folds_radius(rows, folds, queries, radii, execution, work, unbounded);
        },
        [&](const std::int32_t* radii, const NearestOutput& output, Work& work) {
            folds_nearest(rows, folds, queries, radii, execution, output, work);
        });
}

// Two parts, the second with ids of its own, are searched like one; what is equal in the first is held by one code.
void check_plan(const Reference& truth, const Execution& execution) {
    const Codes codes = truth.codes(), queries = truth.queries();
    const std::size_t half = codes.count / 2, size = codes.code_size;
    if (half == 0) return;
    const Scan scan;
    std::vector<unsigned char> distinct;
    std::vector<std::vector<std::uint32_t>> held;
    for (std::size_t row = 0; row < half; ++row) {
        std::size_t u = 0;
        while (u < held.size() && std::memcmp(distinct.data() + u * size, codes.row(row), size) != 0) ++u;
        if (u == held.size()) {
            if (held.size() == 500) return;  // this reference is slow
            distinct.insert(distinct.end(), codes.row(row), codes.row(row) + size);
            held.emplace_back();
        }
        held[u].push_back(static_cast<std::uint32_t>(row));
    }
    std::vector<std::int64_t> starts(1, 0), ids, looked(8 * size + 1, 0);
    std::vector<std::uint32_t> holders;
    for (const std::vector<std::uint32_t>& rows : held) {
        holders.insert(holders.end(), rows.begin(), rows.end());
        starts.push_back(static_cast<std::int64_t>(holders.size()));
    }
    for (std::size_t row = half; row < codes.count; ++row) ids.push_back(static_cast<std::int64_t>(row) + 5);
    const Part first{{{distinct.data(), held.size(), size}, {}}, half, nullptr, 5, starts.data(), holders.data(), {}};
    const Part second{
        {{codes.row(half), codes.count - half, size}, {}}, ids.size(), ids.data(), 0, nullptr, nullptr, {}};
    const Part whole{{codes, {}}, codes.count, nullptr, 5, nullptr, nullptr, {}};
    const std::vector<Step> one{{whole, &scan, nullptr}};
    const std::vector<Step> two{{first, &scan, looked.data()}, {second, &scan, nullptr}};
    std::vector<std::int32_t> radii;
    for (std::size_t q = 0; q < queries.count; ++q)
        radii.push_back(static_cast<std::int32_t>(q * 7 % (truth.n_bits() + 1)));
    const auto within = [&](const std::vector<Step>& steps) {
        const RadiusSearch search(steps, queries, radii.data(), 0, execution, nullptr);
        const auto total = static_cast<std::size_t>(search.offsets().back());
        std::vector<std::int32_t> distances(total);
        std::vector<std::int64_t> found(total);
        search.write(distances.data(), found.data());
        return std::make_tuple(search.offsets(), distances, found);
    };
    CHECK(within(one) == within(two), "plan within");
    for (const std::size_t k : {std::size_t{1}, std::size_t{7}, codes.count + 3}) {
        const auto nearest = [&](const std::vector<Step>& steps) {
            std::vector<std::int32_t> distances(queries.count * k, -1);
            std::vector<std::int64_t> found(queries.count * k, -7);
            std::vector<StepReport> reports;
            nearest_search(steps, queries, k, radii.data(), execution, distances.data(), found.data(), nullptr,
                           &reports);
            CHECK(reports.size() == steps.size(), "a report per step");
            return std::make_pair(distances, found);
        };
        CHECK(nearest(one) == nearest(two), "plan nearest");
    }
    std::int64_t counted = 0;
    for (const std::int64_t n : looked) counted += n;
    CHECK(counted == static_cast<std::int64_t>(3 * queries.count), "every query looked somewhere");
}

// Label words of 1 and 2 words, of few kinds (so that queries share them) and of many.
void check_counts(const Reference& truth, const Execution& execution) {
    const Codes codes = truth.codes(), queries = truth.queries();
    const std::size_t n_distances = truth.n_bits() + 1;
    std::mt19937 random(7);
    for (const std::size_t n_words : {1u, 2u})
        for (const std::uint32_t n_kinds : {2u, 4000000000u})
            for (const bool shared : {false, true}) {
                std::vector<std::uint32_t> wanted(queries.count * n_words), items(n_words * codes.count);
                for (std::uint32_t& word : wanted) word = static_cast<std::uint32_t>(random()) % n_kinds;
                for (std::uint32_t& word : items) word = static_cast<std::uint32_t>(random() & random()) % n_kinds;
                std::vector<std::int64_t> counts(2 * queries.count * n_distances, -7), expected(counts.size(), 0);
                for (std::size_t q = 0; q < queries.count; ++q)
                    for (std::size_t i = 0; i < codes.count; ++i) {
                        bool in_common = false, differ = false;
                        for (std::size_t w = 0; w < n_words; ++w) {
                            in_common |= (items[w * codes.count + i] & wanted[q * n_words + w]) != 0;
                            differ |= items[w * codes.count + i] != wanted[q * n_words + w];
                        }
                        const std::size_t place =
                            q * n_distances + slow_distance(queries.row(q), codes.row(i), codes.code_size);
                        ++expected[place];
                        if (shared ? in_common : !differ) ++expected[queries.count * n_distances + place];
                    }
                Work work;
                count_distances(codes, queries, {wanted.data(), items.data(), n_words, shared}, execution,
                                counts.data(), work);
                const std::string which =
                    std::string(execution.kernel.isa) + " count n_codes=" + std::to_string(codes.count);
                CHECK(counts == expected, which);
                CHECK(queries.count == 0 || codes.count == 0 || work.isa == execution.kernel.isa, which);
            }
}

}  // namespace

int main(int argc, char** argv) {
    const bool only_shared =
        argc == 2 && std::string(argv[1]) == "--only-shared";  // what one thread does races with none
    CHECK(argc == 1 || only_shared, "usage: searches [--only-shared]");
    ThreadPool pool;
    Stop never([] { return false; });
    const std::vector<const Kernel*> every = available_kernels();
    const auto kernels = only_shared ? std::vector<const Kernel*>{} : every;
    const Kernel& best = *every[0];
    std::size_t n_cases = 0;
    const auto check = [&](const Reference& truth, std::size_t table_width) {
        for (const bool with_copies : {false, true}) {
            if (with_copies && truth.codes().code_size > 8) continue;
            const OwnedTables tables(truth.codes(), table_width, with_copies, {best, pool, 3, never});
            check_buckets(truth.codes(), tables);
            check_probes(truth, tables, {best, pool, 3, never});
            for (const Kernel* kernel : kernels) check_probes(truth, tables, {*kernel, pool, 1, never});
        }
        check_scans(truth, {best, pool, 3, never});
        for (const Kernel* kernel : kernels) check_scans(truth, {*kernel, pool, 1, never});
        for (const std::size_t n_threads : {1u, 3u}) check_plan(truth, {best, pool, n_threads, never});
        for (const std::size_t n_clusters : {1u, 40u}) {
            if (truth.codes().count < n_clusters || truth.codes().count > 5000) continue;
            check_clusters(truth, n_clusters, {best, pool, 3, never});
            for (const Kernel* kernel : kernels) check_clusters(truth, n_clusters, {*kernel, pool, 1, never});
        }
        for (const std::size_t fold_size : {1u, 8u, 16u}) {
            check_folds(truth, fold_size, {best, pool, 3, never});
            for (const Kernel* kernel : kernels) check_folds(truth, fold_size, {*kernel, pool, 1, never});
        }
        if (truth.codes().count <= 3001 || truth.queries().count == 1) {
            for (const Kernel* kernel : kernels) check_counts(truth, {*kernel, pool, 1, never});
            for (const Kernel* kernel : every) check_counts(truth, {*kernel, pool, 3, never});
        }
        for (const Kernel* kernel : kernels) check_distances(truth, *kernel);
        for (const Kernel* kernel : kernels) check_ranks(truth.codes(), *kernel);
        for (const Kernel* kernel : kernels) check_key_differences(truth.codes(), *kernel);
        if (!only_shared) check_distinct(truth.codes());
        if (!kernels.empty() && truth.codes().count <= 3001) check_dealing(truth.codes(), kernels);
        if (!only_shared && truth.codes().count <= 701) check_ids(truth);
        ++n_cases;
    };
    for (const std::size_t n_rows : {1u, 40000u, 100000u}) check_marks(n_rows);
    const std::vector<unsigned char> zeros(1500000, 0);  // a value that is sampled, and again and again
    for (const std::size_t code_size : {1u, 5u, 8u, 15u})
        check_distinct({zeros.data(), 1500000 / code_size, code_size});
    for (const std::size_t code_size : {1u, 5u, 8u, 16u, 33u}) {
        for (const std::size_t n_codes : {0u, 1u, 2u, 31u, 32u, 33u, 200u, 701u})
            check(Reference(n_codes, 133, code_size, 5), code_size == 1 ? 3 : 7);  // 133: two logs
        check(Reference(60, 1301, code_size, 5), 3);                               // blocks of several logs, a last one
        check(Reference(3000, 3, code_size, 0), 8);                                // several tiles
        check(Reference(3001, 3, code_size, 9), 13);
        check(Reference(5, 0, code_size, 0), 8);
    }
    check(Reference(50000, 1, 8, 0), 16);
    check(Reference(50000, 1, 3, 3), 12);
    const Reference split(4301, 1, 1000, 0);  // codes shared out among threads, ties across the borders
    check_scans(split, {best, pool, 3, never});
    check_counts(split, {best, pool, 3, never});
    for (const std::size_t code_size : {most_plane_bytes, most_plane_bytes + 1}) {  // with planes and without
        const Reference wide(601, 13, code_size, 900);
        for (const Kernel* kernel : kernels) check_scans(wide, {*kernel, pool, 1, never});
    }
    check(Reference(120000, 2, 4, 0), 14);  // tables built in chunks and partitions
    std::printf("searches: %zu sets of codes equal to the slow reference\n", n_cases);
    return 0;
}
