#include "plan.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "match.h"
#include "scan.h"

namespace hashindex {
namespace {

constexpr std::size_t queries_per_task = 256;

// Calls search(report) and keeps how long it took, if anybody wants to know.
template <class Search>
void reported(std::vector<StepReport>* reports, Search search) {
    StepReport report;
    if (!reports) {
        search(report.work);
        return;
    }
    const auto start = std::chrono::steady_clock::now();
    search(report.work);
    report.nanoseconds = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
    reports->push_back(report);
}

// Calls task(q) for each query; it returns how many numbers it went through, see Stop::check.
template <class Task>
void for_each_query(std::size_t n_queries, const Execution& execution, Task task) {
    if (n_queries <= queries_per_task) {
        for (std::size_t q = 0; q < n_queries; ++q) execution.stop.check(task(q));
        return;
    }
    execution.run((n_queries + queries_per_task - 1) / queries_per_task, [&](std::size_t block) {
        const std::size_t first = block * queries_per_task;
        for (std::size_t q = first; q < std::min(first + queries_per_task, n_queries); ++q)
            execution.stop.check(task(q));
    });
}

struct HitRun {
    const Hit *begin, *end;
};

// The hits of one query among those of blocks of equal size.
HitRun run_of(const RadiusHits& blocks, std::size_t query) {
    const std::size_t size = blocks[0].ends.size(), q = query % size;
    const BlockHits& block = blocks[query / size];
    return {block.hits.data() + (q ? block.ends[q - 1] : 0), block.hits.data() + block.ends[q]};
}

// Every code as near as the last of the nearest that were found: k rows are among theirs.
RadiusHits tied_codes(const Part& part, const Codes& queries, const std::vector<std::int32_t>& limits,
                      const NearestOutput& nearest, const Execution& execution, Work& work) {
    std::vector<std::int32_t> radii(limits);
    for (std::size_t q = 0; q < queries.count; ++q)
        radii[q] = std::min(radii[q], nearest.distances[(q + 1) * nearest.k - 1]);
    HitBudget unbounded(0);
    return scan_radius(part.rows, queries, radii.data(), execution, work, unbounded);
}

}  // namespace

RadiusSearch::RadiusSearch(const std::vector<Step>& steps, const Codes& queries, const std::int32_t* radii,
                           std::size_t most_hits, const Execution& execution, std::vector<StepReport>* reports)
    : n_queries_(queries.count), execution_(execution), offsets_(queries.count + 1, 0) {
    HitBudget budget(n_queries_ > 1 ? most_hits : 0);
    found_.reserve(steps.size());
    for (const Step& step : steps) {
        Found found{&step.part, {}, {}};
        reported(reports, [&](Work& work) {
            found.blocks = step.structure->radius(step.part.rows, queries, radii, execution, work, budget);
        });
        std::size_t n_hits = 0;
        for (const BlockHits& block : found.blocks) n_hits += block.hits.size();
        if (n_hits) found_.push_back(std::move(found));
    }
    for (Found& found : found_) {
        found.runs.reserve(n_queries_);
        std::size_t q = 0;
        for (const BlockHits& block : found.blocks) {
            const Hit* begin = block.hits.data();
            for (const std::size_t end : block.ends) {
                const Run run{begin, block.hits.data() + end};
                auto n = static_cast<std::size_t>(run.end - run.begin);
                if (found.part->starts) {
                    n = 0;
                    for (const Hit* hit = run.begin; hit != run.end; ++hit)
                        n = std::min(n + found.part->n_holders(hit_row(*hit)), found.part->n_rows);
                }
                offsets_[++q] += static_cast<std::int64_t>(n);
                found.runs.push_back(run);
                begin = run.end;
            }
        }
    }
    for (std::size_t q = 0; q < n_queries_; ++q) offsets_[q + 1] += offsets_[q];
    if (most_hits && n_queries_ > 1 && static_cast<std::size_t>(offsets_.back()) > most_hits)
        throw HitBudget::Exceeded();
}

void RadiusSearch::write(std::int32_t* distances, std::int64_t* ids) const {
    for_each_query(n_queries_, execution_, [&](std::size_t q) {
        if (offsets_[q] == offsets_[q + 1]) return std::size_t{1};
        return write_query(q, distances + offsets_[q], ids + offsets_[q]);
    });
}

std::size_t RadiusSearch::write_query(std::size_t q, std::int32_t* distances, std::int64_t* ids) const {
    if (found_.size() == 1 && !found_[0].part->starts) {
        const Run run = found_[0].runs[q];
        const auto count = static_cast<std::size_t>(run.end - run.begin);
        for_each_number(count, execution_.stop, [&](std::size_t i) {
            distances[i] = static_cast<std::int32_t>(hit_distance(run.begin[i]));
            ids[i] = found_[0].part->id_of(hit_row(run.begin[i]));
        });
        return count;
    }
    std::vector<Match> matches;
    matches.reserve(static_cast<std::size_t>(offsets_[q + 1] - offsets_[q]));
    for (const Found& found : found_) {
        const Run run = found.runs[q];
        const std::size_t before = matches.size();
        append_matches(
            *found.part, static_cast<std::size_t>(run.end - run.begin),
            [&](std::size_t i) { return static_cast<std::int32_t>(hit_distance(run.begin[i])); },
            [&](std::size_t i) { return hit_row(run.begin[i]); }, std::numeric_limits<std::size_t>::max(), matches);
        merge_from(before, matches);
    }
    for_each_number(matches.size(), execution_.stop, [&](std::size_t i) {
        distances[i] = matches[i].distance;
        ids[i] = matches[i].id;
    });
    return Stop::a_lot;
}

void nearest_search(const std::vector<Step>& steps, const Codes& queries, std::size_t k, const std::int32_t* radii,
                    const Execution& execution, std::int32_t* distances, std::int64_t* ids, bool* proven,
                    std::vector<StepReport>* reports) {
    std::vector<std::int32_t> limits(radii, radii + queries.count), part_distances;
    std::vector<std::int64_t> part_rows;
    bool is_first = true;
    for (const Step& step : steps) {
        const Part& part = step.part;
        const std::size_t k_part = std::min(k, part.rows.codes.count);
        if (k_part == 0) {
            reported(reports, [](Work&) {});
            continue;
        }
        const bool in_place = is_first && k_part == k && !part.starts;
        if (!in_place) {
            part_distances.resize(queries.count * k_part);
            part_rows.resize(queries.count * k_part);
        }
        const NearestOutput output{in_place ? distances : part_distances.data(), in_place ? ids : part_rows.data(),
                                   k_part, proven};
        RadiusHits tied;  // where rows were removed, a code's first may be another than that which ordered the codes
        reported(reports, [&](Work& work) {
            step.structure->nearest(part.rows, queries, limits.data(), execution, output, work);
            if (part.starts && part.lost.pages) tied = tied_codes(part, queries, limits, output, execution, work);
        });
        for_each_query(queries.count, execution, [&](std::size_t q) {
            const std::int32_t* near = output.distances + q * k_part;
            const std::int64_t* rows = output.rows + q * k_part;
            const auto n_found = static_cast<std::size_t>(std::find(rows, rows + k_part, missing_row) - rows);
            if (step.looked) {
                const std::int32_t far = n_found == k_part ? near[k_part - 1] : limits[q];
                __atomic_fetch_add(step.looked + far, 1, __ATOMIC_RELAXED);
            }
            std::int32_t* own_distances = distances + q * k;
            std::int64_t* own_ids = ids + q * k;
            if (in_place) {
                for_each_number(n_found, execution.stop,
                                [&](std::size_t i) { own_ids[i] = part.id_of(static_cast<std::size_t>(own_ids[i])); });
            } else {
                std::vector<Match> matches;
                const std::size_t before =
                    is_first ? 0 : static_cast<std::size_t>(std::find(own_ids, own_ids + k, missing_row) - own_ids);
                for (std::size_t i = 0; i < before; ++i) matches.push_back({own_distances[i], own_ids[i]});
                if (tied.empty()) {
                    append_matches(
                        part, n_found, [&](std::size_t i) { return near[i]; },
                        [&](std::size_t i) { return static_cast<std::size_t>(rows[i]); }, k, matches);
                } else {
                    const HitRun run = run_of(tied, q);
                    append_matches(
                        part, static_cast<std::size_t>(run.end - run.begin),
                        [&](std::size_t i) { return static_cast<std::int32_t>(hit_distance(run.begin[i])); },
                        [&](std::size_t i) { return hit_row(run.begin[i]); }, k, matches);
                }
                merge_from(before, matches);
                for_each_number(k, execution.stop, [&](std::size_t i) {
                    own_distances[i] = i < matches.size() ? matches[i].distance : missing_distance;
                    own_ids[i] = i < matches.size() ? matches[i].id : missing_row;
                });
            }
            limits[q] = std::min(limits[q], own_distances[k - 1]);
            return in_place ? k : Stop::a_lot;
        });
        is_first = false;
    }
    if (is_first) {
        std::fill_n(distances, queries.count * k, missing_distance);
        std::fill_n(ids, queries.count * k, missing_row);
    }
}

}  // namespace hashindex
