// Linear scan: every code against every query.
#pragma once

#include "../kernels/kernel.h"
#include "../support/thread_pool.h"
#include "codes.h"
#include "results.h"

namespace hashindex {

// Where a search runs: the kernel and the threads.
struct Execution {
    const Kernel& kernel;
    ThreadPool& pool;
    std::size_t n_threads;
};

// All rows within `radius` (inclusive) of each query. Throws HitBudget::Exceeded.
RadiusHits scan_radius(const Rows& rows, const Codes& queries, std::uint32_t radius, const Execution& execution,
                       Work& work, HitBudget& budget);

// The k nearest rows of each query q within radii[q].
void scan_nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                  const NearestOutput& output, Work& work);

}  // namespace hashindex
