// How a call from Python runs: the kernel by name, the pool, no GIL, and Ctrl-C.
#pragma once

#include <pybind11/pybind11.h>

#include "../kernels/dispatch.h"
#include "../search/execution.h"

namespace hashindex {

namespace py = pybind11;

// Runs work(execution) without the GIL. Ctrl-C ends it at its next look at the flag; the signal's exception is raised.
template <class Work>
void run_without_gil(const Kernel& kernel, ThreadPool& pool, std::size_t n_threads, Work work) {
    Stop stop([] {
        const py::gil_scoped_acquire locked;
        return PyErr_CheckSignals() != 0;  // leaves the error set on this thread; false on all but the main one
    });
    const Execution execution{kernel, pool, n_threads, stop};
    try {
        const py::gil_scoped_release unlocked;
        work(execution);
    } catch (const Stop::Stopped&) {
        throw py::error_already_set();
    }
}

}  // namespace hashindex
