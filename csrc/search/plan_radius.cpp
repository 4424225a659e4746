#include <limits>
#include <stdexcept>

#include "match.h"
#include "plan.h"
#include "plan_steps.h"

namespace hashindex {
namespace {

// How many rows hold the codes of a run.
std::size_t n_rows_of(const Part& part, const HitRun& run, Stop& stop) {
    if (!part.starts) return run.size();
    std::size_t n = 0;
    for (const Hit* hit = run.begin; hit != run.end && n < part.n_rows; ++hit) {
        n += part.n_holders(hit_row(*hit), stop);
        stop.check(1);
    }
    return std::min(n, part.n_rows);
}

// As many hits as there can be, unless a damaged file, of which a map was searched, names rows again and again.
std::size_t all_hits(const std::vector<Step>& steps, std::size_t n_queries) {
    std::size_t n_codes = 0;
    for (const Step& step : steps) n_codes += step.part.rows.codes.count;
    return std::max<std::size_t>(n_codes * n_queries, 1);
}

}  // namespace

RadiusSearch::RadiusSearch(const std::vector<Step>& steps, const Codes& queries, const std::int32_t* radii,
                           std::size_t most_hits, const Execution& execution, std::vector<StepReport>* reports)
    : n_queries_(queries.count), execution_(execution), offsets_(queries.count + 1, 0) {
    const std::size_t all = all_hits(steps, n_queries_);
    const bool is_bounded = n_queries_ > 1 && most_hits;
    HitBudget budget(is_bounded ? std::min(most_hits, all) : all);
    found_.reserve(steps.size());
    try {
        for (const Step& step : steps) {
            Found found{&step.part, {}, {}};
            reported(reports, [&](Work& work) {
                found.blocks = step.structure->radius(step.part.rows, queries, radii, execution, work, budget);
            });
            found.runs = runs_of(found.blocks);
            const auto is_hit = [](const HitRun& run) { return run.size() > 0; };
            if (std::any_of(found.runs.begin(), found.runs.end(), is_hit)) found_.push_back(std::move(found));
        }
    } catch (const HitBudget::Exceeded&) {
        if (is_bounded && most_hits < all) throw;
        throw std::invalid_argument("the file that this index maps is damaged: load() without mmap says where");
    }
    for (const Found& found : found_) {
        for (std::size_t q = 0; q < n_queries_; ++q) {
            const std::size_t n = n_rows_of(*found.part, found.runs[q], execution.stop);
            execution.stop.check(1);
            offsets_[q + 1] += static_cast<std::int64_t>(n);
        }
    }
    for (std::size_t q = 0; q < n_queries_; ++q) offsets_[q + 1] += offsets_[q];
    if (is_bounded && static_cast<std::size_t>(offsets_.back()) > most_hits) throw HitBudget::Exceeded();
}

void RadiusSearch::write(std::int32_t* distances, std::int64_t* ids) const {
    for_each_query(n_queries_, execution_, [&](std::size_t q) {
        if (offsets_[q] == offsets_[q + 1]) return std::size_t{1};
        return write_query(q, distances + offsets_[q], ids + offsets_[q]);
    });
}

std::size_t RadiusSearch::write_query(std::size_t q, std::int32_t* distances, std::int64_t* ids) const {
    Stop& stop = execution_.stop;
    if (found_.size() == 1 && !found_[0].part->starts) {
        const HitRun run = found_[0].runs[q];
        for_each_number(run.size(), stop, [&](std::size_t i) {
            distances[i] = static_cast<std::int32_t>(hit_distance(run.begin[i]));
            ids[i] = found_[0].part->id_of(hit_row(run.begin[i]));
        });
        return run.size();
    }
    const auto count = static_cast<std::size_t>(offsets_[q + 1] - offsets_[q]);
    std::vector<Match> matches;
    matches.reserve(count);
    for (const Found& found : found_) {
        const HitRun run = found.runs[q];
        const std::size_t before = matches.size();
        append_matches(
            *found.part, run.size(),
            [&](std::size_t i) { return static_cast<std::int32_t>(hit_distance(run.begin[i])); },
            [&](std::size_t i) { return hit_row(run.begin[i]); }, std::numeric_limits<std::size_t>::max(), matches,
            stop);
        merge_from(before, matches, stop);
    }
    // As many as were counted: a map may have changed meanwhile.
    matches.resize(count, {missing_distance, missing_row});
    for_each_number(count, stop, [&](std::size_t i) {
        distances[i] = matches[i].distance;
        ids[i] = matches[i].id;
    });
    return Stop::a_lot;
}

}  // namespace hashindex
