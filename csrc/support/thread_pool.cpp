#include "thread_pool.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace hashindex {
namespace {

// One call of run(): threads draw task numbers until none is left.
struct Job {
    Job(std::size_t n, const std::function<void(std::size_t)>& f) : n_tasks(n), task(f) {}

    const std::size_t n_tasks;
    const std::function<void(std::size_t)>& task;
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::condition_variable left;
    std::size_t helpers = 0;   // threads of the pool inside work(); guarded by mutex
    std::exception_ptr error;  // guarded by mutex

    void work() {
        for (std::size_t i; (i = next.fetch_add(1)) < n_tasks;) {
            try {
                task(i);
            } catch (...) {
                fail();
            }
        }
    }

    // Keeps the exception in flight, if it is the first, and lets no task begin any more.
    void fail() {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!error) error = std::current_exception();
        next = n_tasks;
    }

    void wait_for_helpers(Stop* stop) {
        std::unique_lock<std::mutex> lock(mutex);
        while (!left.wait_for(lock, Stop::interval, [&] { return helpers == 0; })) {
            lock.unlock();  // asking takes whatever lock the caller's world has
            try {
                if (stop) stop->check();
            } catch (...) {
                fail();
                stop = nullptr;  // the others see the flag
            }
            lock.lock();
        }
    }
};

}  // namespace

struct ThreadPool::Workers {
    const pid_t pid = getpid();
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::shared_ptr<Job>> jobs;  // one entry per wanted helper
    std::vector<std::thread> threads;
    bool stopping = false;

    void loop() {
        std::unique_lock<std::mutex> lock(mutex);
        while (true) {
            wake.wait(lock, [&] { return stopping || !jobs.empty(); });
            if (stopping) return;
            const std::shared_ptr<Job> job = std::move(jobs.front());
            jobs.pop_front();
            {
                const std::lock_guard<std::mutex> job_lock(job->mutex);
                ++job->helpers;
            }
            lock.unlock();
            job->work();
            {
                const std::lock_guard<std::mutex> job_lock(job->mutex);
                --job->helpers;
                job->left.notify_all();
            }
            lock.lock();
        }
    }

    void help(const std::shared_ptr<Job>& job, std::size_t n_helpers) {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            try {
                while (threads.size() < n_helpers) threads.emplace_back([this] { loop(); });
            } catch (const std::exception&) {
                // No more threads to be had: those that are there help.
            }
            jobs.insert(jobs.end(), std::min(n_helpers, threads.size()), job);
        }
        wake.notify_all();
    }

    // Takes back the help not yet begun, so that no helper touches the job's task after run() has returned.
    void withdraw(const std::shared_ptr<Job>& job) {
        const std::lock_guard<std::mutex> lock(mutex);
        jobs.erase(std::remove(jobs.begin(), jobs.end(), job), jobs.end());
    }
};

ThreadPool::~ThreadPool() {
    Workers* workers = workers_.load();
    if (!workers || workers->pid != getpid()) return;  // a forked child has no threads to join: leak the parent's copy
    {
        const std::lock_guard<std::mutex> lock(workers->mutex);
        workers->stopping = true;
    }
    workers->wake.notify_all();
    for (std::thread& thread : workers->threads) thread.join();
    delete workers;
}

ThreadPool::Workers& ThreadPool::workers() {
    Workers* current = workers_.load();
    while (!current || current->pid != getpid()) {
        // In a forked child the inherited mutexes may be locked for ever: never touch them, start anew.
        auto fresh = std::make_unique<Workers>();
        if (workers_.compare_exchange_strong(current, fresh.get())) current = fresh.release();
    }
    return *current;
}

void ThreadPool::run(std::size_t n_tasks, std::size_t n_threads, const std::function<void(std::size_t)>& task,
                     Stop* stop) {
    n_threads = std::min(n_threads, n_tasks);
    if (n_threads <= 1) {
        for (std::size_t i = 0; i < n_tasks; ++i) task(i);
        return;
    }
    const auto job = std::make_shared<Job>(n_tasks, task);
    Workers& pool = workers();
    pool.help(job, n_threads - 1);
    job->work();
    pool.withdraw(job);
    job->wait_for_helpers(stop);
    // Moved out of the job, which a helper may be the last to let go: the exception ends on the caller's thread.
    if (job->error) std::rethrow_exception(std::exchange(job->error, nullptr));
}

}  // namespace hashindex
