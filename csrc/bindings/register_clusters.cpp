#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "../search/assign.h"
#include "../search/clusters.h"
#include "arrays.h"
#include "call.h"
#include "register.h"

namespace hashindex {
namespace {

// centroids, nearest, firsts, places, rows, codes: the fields of hashindex.engines.clusters.Clusters.
using ClusterArrays = std::tuple<Array<std::uint8_t>, Array<std::int32_t>, Array<std::int64_t>, Array<std::uint32_t>,
                                 Array<std::uint32_t>, Array<std::uint8_t>>;

// The structure with the arrays that it borrows.
class BoundClusters final : public Structure {
public:
    BoundClusters(ClusterArrays arrays, std::size_t most)
        : arrays_(std::move(arrays)), inner_(make(arrays_)), most_(most) {}

    RadiusHits radius(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                      Work& work, HitBudget& budget) const override {
        return clusters_radius(rows, inner_, queries, radii, execution, work, budget);
    }
    void nearest(const Rows& rows, const Codes& queries, const std::int32_t* radii, const Execution& execution,
                 const NearestOutput& output, Work& work) const override {
        clusters_nearest(rows, inner_, queries, radii, execution, output, work, most_);
    }
    bool fits(const Codes& codes) const override {
        return codes.code_size == inner_.code_size && codes.count == inner_.n_codes;
    }

private:
    static Clusters make(const ClusterArrays& arrays) {
        const auto& [centroids, nearest, firsts, places, rows, codes] = arrays;
        const Codes of_centroids = as_codes(centroids), of_codes = as_codes(codes);
        require(of_centroids.count >= 1 && of_codes.count >= 1, "there must be a cluster and a code");
        require(of_centroids.code_size == of_codes.code_size, "centroids and codes differ in code_size");
        require(nearest.ndim() == 1 && static_cast<std::size_t>(nearest.size()) == of_centroids.count,
                "nearest must have shape (n_clusters,)");
        require(firsts.ndim() == 1 && static_cast<std::size_t>(firsts.size()) == of_centroids.count + 1,
                "firsts must have shape (n_clusters + 1,)");
        require(places.ndim() == 1, "places must have one axis");
        require(rows.ndim() == 1 && static_cast<std::size_t>(rows.size()) == of_codes.count,
                "rows must have shape (n_codes,)");
        return {of_centroids.data, nearest.data(),    firsts.data(),      places.data(),
                rows.data(),       of_codes.data,     of_centroids.count, static_cast<std::size_t>(places.size()),
                of_codes.count,    of_codes.code_size};
    }

    const ClusterArrays arrays_;
    const Clusters inner_;
    const std::size_t most_;  // clusters that a search for the nearest visits; 0 = all that it must
};

py::tuple py_assign_codes(const Array<std::uint8_t>& codes, const Array<std::uint8_t>& centroids,
                          const std::string& isa, ThreadPool& pool, std::size_t n_threads) {
    const Codes given = as_codes(codes), around = as_codes(centroids);
    require(around.count >= 1 && around.code_size == given.code_size,
            "centroids must have shape (n, code_size), n > 0");
    Array<std::int64_t> of(codes.shape(0));
    Array<std::int32_t> distances(codes.shape(0));
    std::int64_t* const of_data = of.mutable_data();
    std::int32_t* const distances_data = distances.mutable_data();
    run_without_gil(find_kernel(isa), pool, n_threads, [&](const Execution& execution, Unlocked&) {
        assign(given, around, execution, of_data, distances_data);
    });
    return py::make_tuple(of, distances);
}

}  // namespace

void register_clusters(py::module_& m) {
    py::class_<BoundClusters, Structure, std::shared_ptr<BoundClusters>>(m, "Clusters")
        .def(py::init<ClusterArrays, std::size_t>(), py::arg("clusters").noconvert(), py::arg("most"));
    m.def("assign_codes", &py_assign_codes, py::arg("codes").noconvert(), py::arg("centroids").noconvert(),
          py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
}

}  // namespace hashindex
