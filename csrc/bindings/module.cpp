// The extension module: arrays -> checks -> release the GIL -> raw pointers. No algorithm here.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "../kernels/dispatch.h"
#include "../support/thread_pool.h"
#include "register.h"

namespace {

std::vector<std::string> available_isas() {
    std::vector<std::string> names;
    for (const hashindex::Kernel* kernel : hashindex::available_kernels()) names.emplace_back(kernel->isa);
    return names;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
    m.doc() = "Native searches of hashindex; use hashindex.HashIndex.";
    m.def("available_isas", &available_isas);
    pybind11::class_<hashindex::ThreadPool>(m, "ThreadPool").def(pybind11::init<>());
    hashindex::register_plan(m);
    hashindex::register_scan(m);
    hashindex::register_multi_index(m);
    hashindex::register_clusters(m);
    hashindex::register_folds(m);
    hashindex::register_count(m);
    hashindex::register_scoring(m);
    hashindex::register_tail(m);
    hashindex::register_sampling(m);
    hashindex::register_ids(m);
    hashindex::register_marks(m);
}
