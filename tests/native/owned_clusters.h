// Clusters that own their arrays, made the slow and obvious way.
#pragma once

#include <array>

#include "../../csrc/search/clusters.h"
#include "reference.h"

namespace hashindex {

class OwnedClusters {
public:
    // Some of the codes, far apart in memory, serve as centroids.
    OwnedClusters(const Codes& codes, std::size_t n_clusters) : n_codes_(codes.count), code_size_(codes.code_size) {
        using Place = std::array<std::uint64_t, 3>;  // cluster, distance, row
        std::vector<Place> order;
        const auto centroid = [&](std::size_t c) { return codes.row(c * codes.count / n_clusters); };
        for (std::size_t row = 0; row < codes.count; ++row) {
            Place best{0, ~std::uint64_t{0}, row};
            for (std::size_t c = 0; c < n_clusters; ++c) {
                const std::uint64_t distance = slow_distance(codes.row(row), centroid(c), code_size_);
                if (distance < best[1]) best = {c, distance, row};
            }
            order.push_back(best);
        }
        std::sort(order.begin(), order.end());
        firsts_.push_back(0);
        for (std::size_t c = 0, place = 0; c < n_clusters; ++c) {
            centroids_.insert(centroids_.end(), centroid(c), centroid(c) + code_size_);
            std::size_t end = place;
            while (end < order.size() && order[end][0] == c) ++end;
            nearest_.push_back(place < end ? static_cast<std::int32_t>(order[place][1]) : 0);
            if (place < end)
                for (std::uint64_t distance = order[place][1]; distance <= order[end - 1][1] + 1; ++distance) {
                    while (place < end && order[place][1] < distance) ++place;
                    places_.push_back(static_cast<std::uint32_t>(place));
                }
            firsts_.push_back(static_cast<std::int64_t>(places_.size()));
        }
        for (const Place& place : order) {
            rows_.push_back(static_cast<std::uint32_t>(place[2]));
            codes_.insert(codes_.end(), codes.row(place[2]), codes.row(place[2]) + code_size_);
        }
    }

    Clusters view() const {
        return {centroids_.data(), nearest_.data(), firsts_.data(), places_.data(), rows_.data(),
                codes_.data(),     nearest_.size(), places_.size(), n_codes_,       code_size_};
    }

private:
    std::vector<unsigned char> centroids_, codes_;
    std::vector<std::int32_t> nearest_;
    std::vector<std::int64_t> firsts_;
    std::vector<std::uint32_t> places_, rows_;
    std::size_t n_codes_, code_size_;
};

}  // namespace hashindex
