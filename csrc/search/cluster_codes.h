// Codes cluster by cluster, in the layout of src/hashindex/engines/clusters.py.
#pragma once

#include <vector>

#include "clusters.h"
#include "codes.h"
#include "members.h"

namespace hashindex {

// n_codes < 2**32; `of` (n_codes,) is the cluster of each, below n_clusters, `distances` (n_codes,) how far its
// centroid is; distances and codes are borrowed. Throws std::invalid_argument.
class ClusterOrder {
public:
    ClusterOrder(const Codes& codes, const std::int64_t* of, const std::int32_t* distances, std::size_t n_clusters);

    std::size_t n_places() const { return static_cast<std::size_t>(firsts_.back()); }

    // Writes nearest (n_clusters,), firsts (n_clusters + 1,), places (n_places(),), rows (n_codes,) and the codes in
    // their order (n_codes, code_size).
    void write(std::int32_t* nearest, std::int64_t* firsts, std::uint32_t* places, std::uint32_t* rows,
               unsigned char* ordered) const;

private:
    const Codes codes_;
    const std::int32_t* const distances_;
    const Members members_;
    std::vector<std::int32_t> nearest_;
    std::vector<std::int64_t> firsts_;
};

// What it was given, read from what it wrote, all but centroids and codes: of (n_codes,), -1 for what no cluster has,
// and distances (n_codes,). The arrays may hold anything.
void read_clusters(const Clusters& clusters, std::int64_t* of, std::int32_t* distances);

}  // namespace hashindex
