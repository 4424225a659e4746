// The thread pool: every task once, exceptions, searches from several threads at once, and life after fork().
//
//   threads                 all of it
//   threads --no-busy-fork  without fork() while other threads work: for an allocator that cannot stand that
//   threads --no-fork       without fork(): for tools that cannot follow a child into new threads
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>

#include "../../csrc/kernels/dispatch.h"
#include "../../csrc/search/scan.h"
#include "owned_tables.h"
#include "reference.h"

using namespace hashindex;

namespace {

void check_every_task_once(ThreadPool& pool) {
    for (const std::size_t n_tasks : {0u, 1u, 2u, 7u, 1000u}) {
        for (const std::size_t n_threads : {0u, 1u, 3u, 8u}) {
            std::vector<std::atomic<int>> calls(n_tasks);
            pool.run(n_tasks, n_threads, [&](std::size_t i) { ++calls[i]; });
            for (const std::atomic<int>& n : calls) CHECK(n == 1, std::to_string(n_tasks));
        }
    }
}

void check_exception(ThreadPool& pool) {
    for (int repeat = 0; repeat < 50; ++repeat) {
        std::string what;
        try {
            pool.run(100, 3, [&](std::size_t i) {
                if (i >= 17) throw std::runtime_error("from a task");  // several threads throw: one wins
            });
        } catch (const std::runtime_error& error) {
            what = error.what();
        }
        CHECK(what == "from a task", what);
    }
    check_every_task_once(pool);
}

// Whoever wants a call to end is asked by the thread that made it, also while that waits for the others.
void check_stop(ThreadPool& pool) {
    for (const bool caller_waits : {false, true}) {
        std::atomic<bool> wanted{false}, stopped{false};
        std::atomic<int> started{0};
        Stop stop([&] { return wanted.load(); });
        const std::thread::id caller = std::this_thread::get_id();
        try {
            pool.run(
                2, 2,
                [&](std::size_t) {
                    ++started;
                    while (started < 2) std::this_thread::yield();  // a task for each of the two threads
                    wanted = true;
                    while (!caller_waits || std::this_thread::get_id() != caller) stop.check();
                },
                &stop);
        } catch (const Stop::Stopped&) {
            stopped = true;
        }
        CHECK(stopped, "stopped");
    }
    check_every_task_once(pool);
}

// True when a parallel search gives what the reference says.
class Search {
public:
    Search() : truth_(40000, 2, 8, 9) {
        for (const std::vector<Hit>& hits : truth_.within(20))
            expected_.insert(expected_.end(), hits.begin(), hits.end());
    }

    bool works(ThreadPool& pool, std::size_t n_threads) const {
        Work work;
        HitBudget unbounded(0);
        Stop never([] { return false; });
        const std::vector<std::int32_t> radii(truth_.queries().count, 20);
        std::vector<Hit> found;
        for (const BlockHits& block :
             scan_radius({truth_.codes(), nullptr}, truth_.queries(), radii.data(),
                         {*available_kernels().front(), pool, n_threads, never}, work, unbounded))
            found.insert(found.end(), block.hits.begin(), block.hits.end());
        return found == expected_;
    }

private:
    const Reference truth_;
    std::vector<Hit> expected_;
};

void check_concurrent_searches(ThreadPool& pool, const Search& search) {
    std::atomic<int> right{0};
    std::vector<std::thread> callers;
    for (std::size_t caller = 0; caller < 4; ++caller)
        callers.emplace_back([&, caller] {
            for (int repeat = 0; repeat < 20; ++repeat) right += search.works(pool, 1 + caller);
        });
    for (std::thread& caller : callers) caller.join();
    CHECK(right == 4 * 20, std::to_string(right));
}

// Four threads search, by tables and by scan, while a fifth builds other tables of the same codes on the same pool.
void check_building_beside_searches(ThreadPool& pool) {
    const Reference truth(20000, 2, 8, 9);
    const Rows rows{truth.codes(), nullptr};
    Stop never([] { return false; });
    const auto on = [&](std::size_t n_threads) {
        return Execution{*available_kernels().front(), pool, n_threads, never};
    };
    const OwnedTables tables(rows.codes, 8, true, on(2));
    const MultiIndex by_tables(tables.view(), tables.thresholds(3), {}, 0);
    const Scan by_scan;
    const std::vector<std::int32_t> radii(truth.queries().count, 3);
    const auto found_by = [&](const Structure& structure, std::size_t n_threads) {
        Work work;
        HitBudget unbounded(0);
        std::vector<Hit> found;
        for (const BlockHits& block :
             structure.radius(rows, truth.queries(), radii.data(), on(n_threads), work, unbounded))
            found.insert(found.end(), block.hits.begin(), block.hits.end());
        return found;
    };
    const std::vector<Hit> expected = found_by(by_scan, 1);
    std::atomic<int> right{0}, searching{4};
    std::vector<std::thread> callers;
    for (std::size_t caller = 0; caller < 4; ++caller)
        callers.emplace_back([&, caller] {
            for (int repeat = 0; repeat < 20; ++repeat)
                right += found_by(caller % 2 ? static_cast<const Structure&>(by_scan) : by_tables, 1 + caller / 2) ==
                         expected;
            --searching;
        });
    bool same = true;
    while (searching > 0) {
        const OwnedTables others(rows.codes, 8, true, on(2));
        same = same && others.rows == tables.rows && others.offsets == tables.offsets;
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(right == 4 * 20 && same, std::to_string(right));
}

// A task that itself searches on the same pool must not wait for ever.
void check_nested_search(ThreadPool& pool, const Search& search) {
    std::atomic<int> right{0};
    pool.run(6, 3, [&](std::size_t) { right += search.works(pool, 3); });
    CHECK(right == 6, std::to_string(right));
}

// Runs `child` in a forked process and requires that it returns true within a minute.
template <class Child>
void check_in_fork(const char* name, Child child) {
    const pid_t pid = fork();
    CHECK(pid >= 0, name);
    if (pid == 0) _exit(child() ? 0 : 1);
    int status = 0;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > deadline) {
            kill(pid, SIGKILL);
            CHECK(false, std::string(name) + ": the child hangs");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, name);
}

void check_fork(const Search& search) {
    auto pool = std::make_unique<ThreadPool>();
    CHECK(search.works(*pool, 3), "before fork");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until the pool's threads have gone to sleep
    check_in_fork("search in the child", [&] { return search.works(*pool, 3) && search.works(*pool, 2); });
    check_in_fork("end of a pool the child never used", [&] { return pool.reset(), true; });
    check_in_fork("end of a pool the child used", [&] { return search.works(*pool, 3) && (pool.reset(), true); });
    CHECK(search.works(*pool, 3), "in the parent after fork");
    std::printf("threads: search after fork\n");
}

// The pool's mutexes may be locked at the moment of fork(): the child must not touch them.
void check_busy_fork(const Search& search) {
    ThreadPool pool;
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done) pool.run(4, 3, [](std::size_t) {});
    });
    for (int repeat = 0; repeat < 20; ++repeat) check_in_fork("fork amid work", [&] { return search.works(pool, 3); });
    done = true;
    other.join();
    std::printf("threads: search after fork amid work\n");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string option = argc > 1 ? argv[1] : "";
    CHECK(option.empty() || option == "--no-busy-fork" || option == "--no-fork", option);
    ThreadPool pool;
    const Search search;
    check_every_task_once(pool);
    check_exception(pool);
    check_stop(pool);
    check_concurrent_searches(pool, search);
    check_building_beside_searches(pool);
    check_nested_search(pool, search);
    std::printf("threads: tasks, exceptions, concurrent and nested searches, tables built beside them\n");
    if (option != "--no-fork") check_fork(search);
    if (option.empty()) check_busy_fork(search);
    return 0;
}
