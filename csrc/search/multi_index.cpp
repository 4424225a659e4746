#include "multi_index.h"

#include <algorithm>

#include "hit_order.h"
#include "nearest_collector.h"
#include "prober.h"
#include "query_blocks.h"
#include "scan.h"

namespace hashindex {
namespace {

constexpr std::size_t few = 4;          // queries, whose shells are small
constexpr std::size_t together = 1024;  // queries that look into a table while it is in the cache
constexpr double worth_trying = 0.5;  // share of a scan's cost that a query may spend before it must promise to finish

std::vector<std::uint32_t> all_of(std::size_t count) {
    std::vector<std::uint32_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0u);
    return numbers;
}

// Finishes by a scan the queries that were left; what was found so far bounds how far it looks.
void scan_left(const std::vector<unsigned char>& left, const Rows& rows, const Codes& queries,
               const std::int32_t* radii, const Execution& execution, const NearestOutput& output, Work& work) {
    const std::size_t k = output.k, code_size = queries.code_size;
    std::vector<std::size_t> numbers;
    std::vector<std::int32_t> limits;
    for (std::size_t q = 0; q < left.size(); ++q) {
        if (!left[q]) continue;
        numbers.push_back(q);
        limits.push_back(std::min(radii[q], output.distances[q * k + k - 1]));
    }
    if (numbers.empty()) return;
    const std::vector<unsigned char> codes = gathered(queries, numbers.data(), numbers.size());
    std::vector<std::int32_t> distances(numbers.size() * k);
    std::vector<std::int64_t> found(numbers.size() * k);
    scan_nearest(rows, {codes.data(), numbers.size(), code_size}, limits.data(), execution,
                 {distances.data(), found.data(), k}, work);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        std::copy_n(distances.data() + i * k, k, output.distances + numbers[i] * k);
        std::copy_n(found.data() + i * k, k, output.rows + numbers[i] * k);
    }
}

}  // namespace

RadiusHits probe_radius(const Rows& rows, const Tables& tables, const Codes& queries, const std::int32_t* radii,
                        const std::int32_t* thresholds, const Execution& execution, Work& work, HitBudget& budget) {
    const QueryBlocks blocks(queries.count, execution.n_threads, together);
    return radius_by_blocks(blocks, execution, work, budget,
                            [&](std::size_t first, std::size_t count, const auto& collect) {
                                Prober prober(rows, tables, queries, first, count, execution);
                                for (std::size_t q = 0; q < count; ++q)
                                    prober.limits[q] = static_cast<std::uint64_t>(radii[first + q]) + 1;
                                const std::vector<std::uint32_t> active = all_of(count);
                                std::vector<std::int32_t> shown(tables.n_tables, -1);
                                if (count <= few) prober.ask(thresholds);
                                for (std::size_t t = 0; t < tables.n_tables; ++t) {
                                    for (std::int32_t flips = 0; flips <= thresholds[t]; ++flips)
                                        prober.shell(t, flips, shown.data(), active, collect);
                                    shown[t] = thresholds[t];
                                }
                                return prober.work;
                            });
}

void probe_nearest(const Rows& rows, const Tables& tables, const Codes& queries, const std::int32_t* radii,
                   const std::vector<Shell>& shells, double scan_cost, const Execution& execution,
                   const NearestOutput& output, Work& work) {
    std::vector<unsigned char> left(queries.count, 0);
    std::vector<double> spent(1, 0.0);  // before each shell
    for (const Shell& shell : shells) spent.push_back(spent.back() + shell.cost);
    const QueryBlocks blocks(queries.count, execution.n_threads, together_for(output.k, queries, together));
    for_each_block(blocks, execution, work, [&](std::size_t first, std::size_t count, BlockLogs&) {
        Prober prober(rows, tables, queries, first, count, execution);
        std::vector<NearestCollector> nearest;
        nearest.reserve(count);
        for (std::size_t q = 0; q < count; ++q) {
            nearest.emplace_back(output.k, static_cast<std::uint32_t>(radii[first + q]));
            prober.limits[q] = std::uint64_t{nearest[q].radius()} + 1;
        }
        std::vector<std::uint32_t> active = all_of(count);
        std::vector<std::int32_t> shown(tables.n_tables, -1);
        // Pigeonhole: with s_t shells of table t done, every row within sum(s_t) - 1 has been shown; with all of a
        // table's, every row at all.
        for (std::size_t s = 0; s < shells.size() && !active.empty(); ++s) {
            const auto t = static_cast<std::size_t>(shells[s].table);
            prober.shell(t, shells[s].flips, shown.data(), active, [&](std::size_t q, Hit hit) {
                nearest[q].add(hit);
                prober.limits[q] = std::uint64_t{nearest[q].radius()} + 1;
            });
            shown[t] = shells[s].flips;
            if (shown[t] == tables.widths[t]) {
                active.clear();
                break;
            }
            std::size_t n_active = 0;
            for (const std::uint32_t q : active) {
                const std::size_t radius = nearest[q].radius();
                if (radius <= s) continue;
                const bool certain = radius + 1 < spent.size() && spent[radius + 1] - spent[s + 1] <= scan_cost;
                if (!certain && s + 1 < shells.size() && spent[s + 2] > worth_trying * scan_cost) {
                    left[first + q] = 1;
                    continue;
                }
                active[n_active++] = q;
            }
            active.resize(n_active);
        }
        for (const std::uint32_t q : active) left[first + q] = 1;
        for (std::size_t q = 0; q < count; ++q)
            output.write(first + q, nearest[q].take(execution.stop), execution.stop);
        return prober.work;
    });
    scan_left(left, rows, queries, radii, execution, output, work);
}

}  // namespace hashindex
