// Where a search runs.
#pragma once

#include "../kernels/kernel.h"
#include "../support/stop.h"
#include "../support/thread_pool.h"

namespace hashindex {

// The kernel, the threads, and when to stop.
struct Execution {
    const Kernel& kernel;
    ThreadPool& pool;
    std::size_t n_threads;
    Stop& stop;

    // Calls task(0) .. task(n_tasks - 1) on these threads.
    template <class Task>
    void run(std::size_t n_tasks, Task task) const {
        if (n_tasks == 1) return task(0);  // without the allocations that a lone query would feel
        pool.run(n_tasks, n_threads, task, &stop);
    }
};

}  // namespace hashindex
