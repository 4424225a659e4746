#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "../search/assign.h"
#include "../search/cluster_codes.h"
#include "../search/clusters.h"
#include "../search/majorities.h"
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

const std::int64_t* clusters_of(const Codes& codes, const Array<std::int64_t>& of) {
    require(of.ndim() == 1 && static_cast<std::size_t>(of.size()) == codes.count, "of must have shape (n_codes,)");
    return of.data();
}

py::tuple py_cluster_codes(const Array<std::uint8_t>& codes, const Array<std::int64_t>& of,
                           const Array<std::int32_t>& distances, std::size_t n_clusters) {
    const Codes given = as_codes(codes);
    const std::int64_t* const of_data = clusters_of(given, of);
    require(distances.ndim() == 1 && distances.size() == of.size(), "distances must have shape (n_codes,)");
    Array<std::int32_t> nearest(static_cast<py::ssize_t>(n_clusters));
    Array<std::int64_t> firsts(static_cast<py::ssize_t>(n_clusters + 1));
    Array<std::uint32_t> rows(codes.shape(0)), places;
    Array<std::uint8_t> ordered({codes.shape(0), codes.shape(1)});
    std::int32_t* const nearest_data = nearest.mutable_data();
    std::int64_t* const firsts_data = firsts.mutable_data();
    std::uint32_t* const rows_data = rows.mutable_data();
    std::uint8_t* const ordered_data = ordered.mutable_data();
    {
        Unlocked unlocked;
        const ClusterOrder order(given, of_data, distances.data(), n_clusters);
        std::uint32_t* const places_data = unlocked.locked([&] {
            places = Array<std::uint32_t>(static_cast<py::ssize_t>(order.n_places()));
            return places.mutable_data();
        });
        order.write(nearest_data, firsts_data, places_data, rows_data, ordered_data);
    }
    return py::make_tuple(nearest, firsts, places, rows, ordered);
}

py::tuple py_read_clusters(const Array<std::int32_t>& nearest, const Array<std::int64_t>& firsts,
                           const Array<std::uint32_t>& places, const Array<std::uint32_t>& rows) {
    require(nearest.ndim() == 1 && firsts.ndim() == 1 && places.ndim() == 1 && rows.ndim() == 1, "of one axis each");
    require(firsts.size() == nearest.size() + 1, "firsts must have shape (n_clusters + 1,)");
    Array<std::int64_t> of(rows.size());
    Array<std::int32_t> distances(rows.size());
    std::int64_t* const of_data = of.mutable_data();
    std::int32_t* const distances_data = distances.mutable_data();
    {
        const Unlocked unlocked;
        const Clusters view{nullptr,
                            nearest.data(),
                            firsts.data(),
                            places.data(),
                            rows.data(),
                            nullptr,
                            static_cast<std::size_t>(nearest.size()),
                            static_cast<std::size_t>(places.size()),
                            static_cast<std::size_t>(rows.size()),
                            0};
        read_clusters(view, of_data, distances_data);
    }
    return py::make_tuple(of, distances);
}

Array<std::uint8_t> py_majorities(const Array<std::uint8_t>& codes, const Array<std::int64_t>& of,
                                  const Array<std::uint8_t>& centroids) {
    const Codes given = as_codes(codes), before = as_codes(centroids);
    const std::int64_t* const of_data = clusters_of(given, of);
    require(given.code_size == before.code_size, "centroids and codes differ in code_size");
    Array<std::uint8_t> after({centroids.shape(0), centroids.shape(1)});
    std::uint8_t* const data = after.mutable_data();
    {
        const Unlocked unlocked;
        std::copy_n(before.data, before.count * before.code_size, data);
        majorities(given, of_data, before.count, data);
    }
    return after;
}

}  // namespace

void register_clusters(py::module_& m) {
    py::class_<BoundClusters, Structure, std::shared_ptr<BoundClusters>>(m, "Clusters")
        .def(py::init<ClusterArrays, std::size_t>(), py::arg("clusters").noconvert(), py::arg("most"));
    m.def("assign_codes", &py_assign_codes, py::arg("codes").noconvert(), py::arg("centroids").noconvert(),
          py::arg("isa"), py::arg("pool"), py::arg("n_threads"));
    m.def("cluster_codes", &py_cluster_codes, py::arg("codes").noconvert(), py::arg("of").noconvert(),
          py::arg("distances").noconvert(), py::arg("n_clusters"));
    m.def("read_clusters", &py_read_clusters, py::arg("nearest").noconvert(), py::arg("firsts").noconvert(),
          py::arg("places").noconvert(), py::arg("rows").noconvert());
    m.def("majorities", &py_majorities, py::arg("codes").noconvert(), py::arg("of").noconvert(),
          py::arg("centroids").noconvert());
}

}  // namespace hashindex
