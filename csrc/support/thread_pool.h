// A pool of threads that survives fork(): a child process gets fresh threads at its first parallel call.
// No OpenMP: GNU's runtime hangs in a forked child once the parent has used it.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

#include "stop.h"

namespace hashindex {

class ThreadPool {
public:
    ThreadPool() = default;
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    // Calls task(0) .. task(n_tasks - 1), each once, on at most n_threads threads including the caller's; returns
    // when all are done and rethrows the first exception. Safe from several threads at once. While the caller waits for
    // the others it asks `stop`, whose exception is rethrown when they have left.
    void run(std::size_t n_tasks, std::size_t n_threads, const std::function<void(std::size_t)>& task,
             Stop* stop = nullptr);

private:
    struct Workers;
    Workers& workers();
    std::atomic<Workers*> workers_{nullptr};
};

}  // namespace hashindex
