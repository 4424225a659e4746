// Scan, multi-index, clusters and folds against the slow reference: every kernel of this CPU, 1 and 3 threads.
#include "../../csrc/kernels/dispatch.h"
#include "../../csrc/search/count.h"
#include "../../csrc/search/folds.h"
#include "../../csrc/search/multi_index.h"
#include "../../csrc/search/plan.h"
#include "../../csrc/search/scan.h"
#include "owned_clusters.h"
#include "owned_tables.h"
#include "reference.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <tuple>

using namespace hashindex;

namespace {

// The bits under the mask, lowest byte and lowest bit first.
std::uint32_t slow_key(const unsigned char* code, const unsigned char* mask, std::size_t code_size) {
    std::uint32_t key = 0, place = 0;
    for (std::size_t bit = 0; bit < 8 * code_size; ++bit)
        if (mask[bit / 8] >> bit % 8 & 1) key |= static_cast<std::uint32_t>(code[bit / 8] >> bit % 8 & 1) << place++;
    return key;
}

void check_buckets(const Codes& codes, const OwnedTables& tables) {
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

// Runs search(output) on arrays full of rubbish: every place must be written.
template <class Search>
Reference::Nearest run_nearest(std::size_t n_queries, std::size_t k, Search search) {
    Reference::Nearest result{std::vector<std::int32_t>(n_queries * k, -7),
                              std::vector<std::int64_t>(n_queries * k, -7)};
    search(NearestOutput{result.distances.data(), result.rows.data(), k});
    return result;
}

std::vector<std::vector<Hit>> by_query(const RadiusHits& blocks) {
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

// Large radii visit every bucket of every table: they are asked of small tables only.
bool too_many_buckets(const OwnedTables& tables, std::uint32_t radius, std::uint32_t n_bits) {
    return tables.widths[0] > 8 && radius > n_bits / 8;
}

std::string described(const Reference& truth, const Execution& execution) {
    return std::string(execution.kernel.isa) + " code_size=" + std::to_string(truth.codes().code_size) +
           " n_codes=" + std::to_string(truth.codes().count) + " n_queries=" + std::to_string(truth.queries().count) +
           " threads=" + std::to_string(execution.n_threads);
}

bool ran_right(const Work& work, const Execution& execution, bool must_run) {
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

void check_probes(const Reference& truth, const OwnedTables& tables, const Execution& execution) {
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

// What is proven is exact; the rest is ordered, as many as there should be, and no nearer than the nearest are.
void check_stopping_early(const Reference& truth, const Clusters& clusters, const Execution& execution) {
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
void check_damaged_clusters(const Reference& truth, Clusters clusters, const Execution& execution) {
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

void check_clusters(const Reference& truth, std::size_t n_clusters, const Execution& execution) {
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
        ++n_cases;
    };
    for (const std::size_t code_size : {1u, 5u, 8u, 16u, 33u}) {
        for (const std::size_t n_codes : {0u, 1u, 2u, 31u, 32u, 33u, 200u, 701u})
            check(Reference(n_codes, 133, code_size, 5), code_size == 1 ? 3 : 7);  // 133: two blocks of queries
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
