#include "match.h"
#include "plan.h"
#include "plan_steps.h"
#include "scan.h"

namespace hashindex {
namespace {

constexpr std::size_t tied_together = 128;  // queries, each of which may find a good part of the codes

// The answers, to which part after part adds what it found. The k-th distance found in one part limits the next.
class NearestAnswers {
public:
    NearestAnswers(std::int32_t* distances, std::int64_t* ids, std::size_t k, const std::int32_t* radii,
                   std::size_t n_queries)
        : distances_(distances), ids_(ids), k_(k), limits_(radii, radii + n_queries) {
        std::fill_n(distances, n_queries * k, missing_distance);
        std::fill_n(ids, n_queries * k, missing_row);
    }

    const std::int32_t* limits() const { return limits_.data(); }

    std::vector<Match> of(std::size_t q) const {
        std::vector<Match> matches;
        for (std::size_t i = q * k_; i < (q + 1) * k_ && ids_[i] != missing_row; ++i)
            matches.push_back({distances_[i], ids_[i]});
        return matches;
    }

    // `matches`: of(q) and, from `middle` on, those of one more part.
    void set(std::size_t q, std::size_t middle, std::vector<Match>& matches, Stop& stop) {
        merge_from(middle, matches, stop);
        for_each_number(std::min(k_, matches.size()), stop, [&](std::size_t i) {
            distances_[q * k_ + i] = matches[i].distance;
            ids_[q * k_ + i] = matches[i].id;
        });
        look(q);
    }

    // Rows that a structure has written in the place of ids, `count` of them, of the first part that has any.
    void name_rows(std::size_t q, std::size_t count, const Part& part, Stop& stop) {
        std::int64_t* own = ids_ + q * k_;
        for_each_number(count, stop, [&](std::size_t i) { own[i] = part.id_of(static_cast<std::size_t>(own[i])); });
        look(q);
    }

private:
    void look(std::size_t q) { limits_[q] = std::min(limits_[q], distances_[(q + 1) * k_ - 1]); }

    std::int32_t* const distances_;
    std::int64_t* const ids_;
    const std::size_t k_;
    std::vector<std::int32_t> limits_;  // of each query
};

// Whether the k nearest rows, `count` matches in order, are right although rows were removed. Distinct codes are
// ordered by their first row, removed or not. Of those that tie with the last of the k that were found, and were not
// found, all rows are therefore behind its first row.
bool are_settled(const Part& part, const std::int32_t* near, const std::int64_t* rows, std::size_t k,
                 const Match* matches, std::size_t count) {
    if (k == part.rows.codes.count || rows[k - 1] == missing_row) return true;  // all codes were found
    const Part::Run held = part.held(static_cast<std::size_t>(rows[k - 1]));
    if (count < k || held.begin == held.end) return false;
    const Match first{near[k - 1], part.id_of(part.holder(held.begin))};
    return !(first < matches[k - 1]);
}

// Every code as near as the last that was found of each of `count` queries, which are given by their numbers.
RadiusHits tied_codes(const Part& part, const Codes& queries, const std::size_t* numbers, std::size_t count,
                      const NearestOutput& nearest, const Execution& execution, Work& work) {
    const std::vector<unsigned char> codes = gathered(queries, numbers, count);
    std::vector<std::int32_t> radii;
    for (std::size_t i = 0; i < count; ++i) radii.push_back(nearest.distances[(numbers[i] + 1) * nearest.k - 1]);
    HitBudget unbounded(0);
    return scan_radius(part.rows, {codes.data(), count, queries.code_size}, radii.data(), execution, work, unbounded);
}

// Adds what a structure found of each query to the answers; returns the queries that are to be settled by their ties.
std::vector<std::size_t> add_found(const Step& step, const NearestOutput& found, std::size_t n_queries, std::size_t k,
                                   NearestAnswers& answers, bool in_place, const Execution& execution) {
    const Part& part = step.part;
    const bool has_removals = part.starts && part.lost.pages;
    std::vector<unsigned char> is_unsettled(has_removals ? n_queries : 0, 0);
    for_each_query(n_queries, execution, [&](std::size_t q) {
        const std::int32_t* near = found.distances + q * found.k;
        const std::int64_t* rows = found.rows + q * found.k;
        const auto count = static_cast<std::size_t>(std::find(rows, rows + found.k, missing_row) - rows);
        if (step.looked) {
            const std::int32_t far = count == found.k ? near[found.k - 1] : answers.limits()[q];
            __atomic_fetch_add(step.looked + far, 1, __ATOMIC_RELAXED);
        }
        if (in_place) {
            answers.name_rows(q, count, part, execution.stop);
            return k;
        }
        std::vector<Match> matches = answers.of(q);
        const std::size_t before = matches.size();
        append_matches(
            part, count, [&](std::size_t i) { return near[i]; },
            [&](std::size_t i) { return static_cast<std::size_t>(rows[i]); }, k, matches, execution.stop);
        if (has_removals && !are_settled(part, near, rows, found.k, matches.data() + before, matches.size() - before))
            is_unsettled[q] = 1;
        else answers.set(q, before, matches, execution.stop);
        return Stop::a_lot;
    });
    std::vector<std::size_t> unsettled;
    for (std::size_t q = 0; q < is_unsettled.size(); ++q)
        if (is_unsettled[q]) unsettled.push_back(q);
    return unsettled;
}

void add_tied(const Part& part, const RadiusHits& tied, const std::size_t* numbers, std::size_t k,
              NearestAnswers& answers, const Execution& execution) {
    const std::vector<HitRun> runs = runs_of(tied);
    for_each_query(runs.size(), execution, [&](std::size_t i) {
        const HitRun run = runs[i];
        std::vector<Match> matches = answers.of(numbers[i]);
        const std::size_t before = matches.size();
        append_matches(
            part, run.size(), [&](std::size_t j) { return static_cast<std::int32_t>(hit_distance(run.begin[j])); },
            [&](std::size_t j) { return hit_row(run.begin[j]); }, k, matches, execution.stop);
        answers.set(numbers[i], before, matches, execution.stop);
        return Stop::a_lot;
    });
}

}  // namespace

void nearest_search(const std::vector<Step>& steps, const Codes& queries, std::size_t k, const std::int32_t* radii,
                    const Execution& execution, std::int32_t* distances, std::int64_t* ids, bool* proven,
                    std::vector<StepReport>* reports) {
    NearestAnswers answers(distances, ids, k, radii, queries.count);
    std::vector<std::int32_t> part_distances;
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
        is_first = false;
        if (!in_place) {
            part_distances.resize(queries.count * k_part);
            part_rows.resize(queries.count * k_part);
        }
        const NearestOutput found{in_place ? distances : part_distances.data(), in_place ? ids : part_rows.data(),
                                  k_part, proven};
        reported(reports, [&](Work& work) {
            step.structure->nearest(part.rows, queries, answers.limits(), execution, found, work);
            const std::vector<std::size_t> unsettled =
                add_found(step, found, queries.count, k, answers, in_place, execution);
            for (std::size_t first = 0; first < unsettled.size(); first += tied_together) {
                const std::size_t* numbers = unsettled.data() + first;
                const std::size_t count = std::min(tied_together, unsettled.size() - first);
                const RadiusHits tied = tied_codes(part, queries, numbers, count, found, execution, work);
                add_tied(part, tied, numbers, k, answers, execution);
            }
        });
    }
}

}  // namespace hashindex
