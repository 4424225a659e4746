#include "cluster_codes.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace hashindex {

ClusterOrder::ClusterOrder(const Codes& codes, const std::int64_t* of, const std::int32_t* distances,
                           std::size_t n_clusters)
    : codes_(codes),
      distances_(distances),
      members_(of, codes.count, n_clusters),
      nearest_(n_clusters, 0),
      firsts_(n_clusters + 1, 0) {
    const auto most = static_cast<std::int32_t>(8 * codes.code_size);
    for (std::size_t c = 0; c < n_clusters; ++c) {
        std::int32_t nearest = most, farthest = 0;
        for (std::uint32_t m = members_.begins[c]; m < members_.begins[c + 1]; ++m) {
            const std::int32_t distance = distances[members_.rows[m]];
            if (distance < 0 || distance > most) throw std::invalid_argument("a code at no distance");
            nearest = std::min(nearest, distance);
            farthest = std::max(farthest, distance);
        }
        if (members_.has_any(c)) nearest_[c] = nearest;
        firsts_[c + 1] = firsts_[c] + (members_.has_any(c) ? farthest - nearest + 2 : 0);
    }
}

// Each cluster is sorted by counting, which leaves codes as far in the order of their rows.
void ClusterOrder::write(std::int32_t* nearest, std::int64_t* firsts, std::uint32_t* places, std::uint32_t* rows,
                         unsigned char* ordered) const {
    std::copy(nearest_.begin(), nearest_.end(), nearest);
    std::copy(firsts_.begin(), firsts_.end(), firsts);
    std::vector<std::uint32_t> next;
    for (std::size_t c = 0; c < nearest_.size(); ++c) {
        if (!members_.has_any(c)) continue;
        const std::uint32_t begin = members_.begins[c], end = members_.begins[c + 1];
        const auto nth = [&](std::uint32_t m) {
            return static_cast<std::size_t>(distances_[members_.rows[m]] - nearest_[c]);
        };
        next.assign(static_cast<std::size_t>(firsts_[c + 1] - firsts_[c]), 0);
        for (std::uint32_t m = begin; m < end; ++m) ++next[nth(m) + 1];
        next[0] = begin;
        for (std::size_t j = 1; j < next.size(); ++j) next[j] += next[j - 1];
        std::copy(next.begin(), next.end(), places + firsts_[c]);
        for (std::uint32_t m = begin; m < end; ++m) {
            const std::uint32_t place = next[nth(m)]++;
            rows[place] = members_.rows[m];
            std::memcpy(ordered + place * codes_.code_size, codes_.row(members_.rows[m]), codes_.code_size);
        }
    }
}

void read_clusters(const Clusters& clusters, std::int64_t* of, std::int32_t* distances) {
    std::fill_n(of, clusters.n_codes, std::int64_t{-1});
    std::fill_n(distances, clusters.n_codes, 0);
    std::size_t n_left = clusters.n_codes + clusters.n_places;  // looked at; runs that overlap would take for ever
    for (std::size_t c = 0; c < clusters.n_clusters; ++c) {
        const auto [first, last] = clusters.span(c);
        auto distance = static_cast<std::uint32_t>(clusters.nearest[c]);
        for (std::int64_t entry = first; entry < last && n_left > 0; ++entry, ++distance, --n_left) {
            const std::size_t end = std::min<std::size_t>(clusters.places[entry + 1], clusters.n_codes);
            for (std::size_t place = clusters.places[entry]; place < end && n_left > 1; ++place, --n_left) {
                const std::uint32_t row = clusters.rows[place];
                if (row >= clusters.n_codes) continue;
                of[row] = static_cast<std::int64_t>(c);
                distances[row] = static_cast<std::int32_t>(distance);
            }
        }
    }
}

}  // namespace hashindex
