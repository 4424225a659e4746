// What whole searches for a radius and for the nearest have in common.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "plan.h"

namespace hashindex {

// Calls search(work) and keeps what it did and how long it took, if anybody wants to know.
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
    constexpr std::size_t per_task = 256;
    if (n_queries <= per_task) {
        for (std::size_t q = 0; q < n_queries; ++q) execution.stop.check(task(q));
        return;
    }
    execution.run((n_queries + per_task - 1) / per_task, [&](std::size_t block) {
        const std::size_t first = block * per_task;
        for (std::size_t q = first; q < std::min(first + per_task, n_queries); ++q) execution.stop.check(task(q));
    });
}

}  // namespace hashindex
