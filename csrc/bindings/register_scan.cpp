#include <memory>

#include "../search/scan.h"
#include "register.h"

namespace py = pybind11;

void hashindex::register_scan(py::module_& m) {
    py::class_<Scan, Structure, std::shared_ptr<Scan>>(m, "Scan").def(py::init<>());
}
