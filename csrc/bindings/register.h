// What module.cpp puts into the extension: a file per concept.
#pragma once

#include <pybind11/pybind11.h>

namespace hashindex {

void register_plan(pybind11::module_& m);  // first: the others' classes derive from its Structure
void register_scan(pybind11::module_& m);
void register_multi_index(pybind11::module_& m);
void register_clusters(pybind11::module_& m);
void register_folds(pybind11::module_& m);
void register_count(pybind11::module_& m);
void register_scoring(pybind11::module_& m);
void register_tail(pybind11::module_& m);
void register_sampling(pybind11::module_& m);
void register_ids(pybind11::module_& m);
void register_marks(pybind11::module_& m);

}  // namespace hashindex
