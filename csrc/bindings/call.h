// How a call from Python runs: the kernel by name, the pool, no GIL, and Ctrl-C.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <thread>
#include <utility>

#include "../kernels/dispatch.h"
#include "../search/execution.h"

namespace hashindex {

namespace py = pybind11;

// No GIL for as long as it lives. Before Python 3.14 a thread that wants the GIL back while the process ends is
// unwound, which destructors do not survive; here it waits for the end, as it does from 3.14 on.
class Unlocked {
public:
    Unlocked() = default;
    ~Unlocked() { end(); }
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;

    // Calls work() with the GIL, on the thread that this was made on.
    template <class Work>
    auto locked(Work work) {
        struct Relock {
            Unlocked& unlocked;
            const bool wanted;
            ~Relock() {
                if (wanted) unlocked.state_ = PyEval_SaveThread();
            }
        };
        const Relock relock{*this, state_ != nullptr};
        end();
        return work();
    }

    // Takes the GIL back before its time: where little is left to do, that is cheaper than giving it away again.
    void end() {
        if (!state_) return;
        try {
            PyEval_RestoreThread(std::exchange(state_, nullptr));
        } catch (...) {
            for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
        }
    }

private:
    PyThreadState* state_ = PyEval_SaveThread();
};

// Runs work(), without the GIL if it takes long: else it would be over before the GIL is back.
template <class Work>
void without_gil_if(bool is_long, Work work) {
    if (!is_long) return work();
    const Unlocked unlocked;
    work();
}

// Runs work(execution, unlocked) without the GIL. Ctrl-C ends it at its next look at the flag; the signal's exception
// is raised.
template <class Work>
void run_without_gil(const Kernel& kernel, ThreadPool& pool, std::size_t n_threads, Work work) {
    try {
        Unlocked unlocked;
        Stop stop([&] {  // true leaves the error set on this thread; false on all but the main one
            return unlocked.locked([] { return PyErr_CheckSignals() != 0; });
        });
        work(Execution{kernel, pool, n_threads, stop}, unlocked);
    } catch (const Stop::Stopped&) {
        throw py::error_already_set();
    }
}

}  // namespace hashindex
