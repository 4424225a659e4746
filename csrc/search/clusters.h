// Clusters: codes around centroids, each cluster in the order of its codes' distances to the centroid, so that the
// triangle inequality leaves one run of a cluster, or nothing (iDistance: Jagadish et al., TODS 2005).
#pragma once

#include <algorithm>

#include "structure.h"

namespace hashindex {

// Flat arrays: see src/hashindex/engines/clusters.py, which owns the layout. They may come from a map of a file that
// nobody has read yet: places and rows are kept within the arrays, whatever they are.
struct Clusters {
    const unsigned char* centroids;  // (n_clusters, code_size)
    const std::int32_t* nearest;     // (n_clusters,)
    const std::int64_t* firsts;      // (n_clusters + 1,)
    const std::uint32_t* places;     // (n_places,)
    const std::uint32_t* rows;       // (n_codes,)
    const unsigned char* codes;      // (n_codes, code_size)
    std::size_t n_clusters, n_places, n_codes, code_size;

    struct Run {
        std::size_t begin, end;
    };

    // Entries of a directory, kept within `places`: the first, and the last, which is the cluster's end.
    struct Span {
        std::int64_t first, last;
    };

    Span span(std::size_t c) const {
        const auto most = static_cast<std::int64_t>(n_places);
        const std::int64_t first = std::clamp<std::int64_t>(firsts[c], 0, most);
        return {first, std::clamp<std::int64_t>(firsts[c + 1], first, most) - 1};
    }

    // Places of cluster c that may hold codes within `limit` of a query at that distance from the centroid.
    Run run(std::size_t c, std::int64_t distance, std::int64_t limit) const {
        const auto [first, last] = span(c);
        const std::int64_t low = first + std::max<std::int64_t>(distance - limit - nearest[c], 0);
        const std::int64_t high = std::min(first + distance + limit + 1 - nearest[c], last);
        if (low >= high || high <= first) return {0, 0};
        const std::size_t begin = places[low];
        return {begin, std::min<std::size_t>(places[high], n_codes)};
    }
};

// As scan_radius, looking only into the runs that the bounds leave.
RadiusHits clusters_radius(const Rows& rows, const Clusters& clusters, const Codes& queries, const std::int32_t* radii,
                           const Execution& execution, Work& work, HitBudget& budget);

// As scan_nearest, the nearest clusters first; if `most` is not 0, of each query the `most` nearest alone, or all where
// those have fewer than k rows.
void clusters_nearest(const Rows& rows, const Clusters& clusters, const Codes& queries, const std::int32_t* radii,
                      const Execution& execution, const NearestOutput& output, Work& work, std::size_t most = 0);

}  // namespace hashindex
