// Linear scan: every code against every query.
#pragma once

#include "../kernels/kernel.h"
#include "../support/thread_pool.h"
#include "codes.h"
#include "results.h"

namespace hashindex {

// Where a search runs: the kernel, the threads, and room for the name of the kernel that did run.
struct Execution {
    const Kernel& kernel;
    ThreadPool& pool;
    std::size_t n_threads;
};

// All codes within `radius` (inclusive) of each query. Returns the hits and, in `isa`, the kernel that ran (or null).
RadiusHits scan_radius(const Codes& codes, const Codes& queries, std::uint32_t radius, const Execution& execution,
                       const char*& isa);

// The k nearest codes within `radius` of each query.
void scan_nearest(const Codes& codes, const Codes& queries, std::uint32_t radius, const Execution& execution,
                  const NearestOutput& output, const char*& isa);

}  // namespace hashindex
