#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>

#include "../search/folds.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

// The structure with the array that it borrows.
class BoundFolds final : public Structure {
public:
    BoundFolds(Array<std::uint8_t> folds, std::size_t code_size)
        : folds_(std::move(folds)), inner_{as_codes(folds_)}, code_size_(code_size) {
        require(inner_.folds.count < (std::uint64_t{1} << 32), "too many codes");
    }

    RadiusHits radius(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                      Work& work, HitBudget& budget) const override {
        return folds_radius(rows, inner_, queries, radii, execution, work, budget);
    }
    void nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                 const NearestOutput& output, Work& work) const override {
        folds_nearest(rows, inner_, queries, radii, execution, output, work);
    }
    bool fits(const Codes& codes) const override {
        return codes.code_size == code_size_ && codes.count == inner_.folds.count;
    }

private:
    const Array<std::uint8_t> folds_;
    const Folds inner_;
    const std::size_t code_size_;
};

Array<std::uint8_t> py_build_folds(const Array<std::uint8_t>& codes, std::size_t fold_size, const std::string& isa,
                                   ThreadPool& pool, std::size_t n_threads) {
    const Codes c = as_codes(codes);
    require(fold_size >= 1, "fold_size < 1");
    Array<std::uint8_t> folds({codes.shape(0), static_cast<py::ssize_t>(fold_size)});
    unsigned char* const data = folds.mutable_data();
    run_without_gil(find_kernel(isa), pool, n_threads,
                    [&](const Execution& execution, Unlocked&) { build_folds(c, fold_size, data, execution); });
    return folds;
}

}  // namespace

void register_folds(py::module_& m) {
    py::class_<BoundFolds, Structure, std::shared_ptr<BoundFolds>>(m, "Folds")
        .def(py::init<Array<std::uint8_t>, std::size_t>(), py::arg("folds").noconvert(), py::arg("code_size"));
    m.def("build_folds", &py_build_folds, py::arg("codes").noconvert(), py::arg("fold_size"), py::arg("isa"),
          py::arg("pool"), py::arg("n_threads"));
}

}  // namespace hashindex
