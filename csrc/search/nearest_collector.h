// Keeps the k least hits of those offered. No heap: a histogram of distances tells at once how far the k-th is, and a
// log keeps what may belong to the answer.
#pragma once

#include <algorithm>
#include <vector>

#include "../kernels/kernel.h"

namespace hashindex {

class NearestCollector {
public:
    NearestCollector(std::size_t k, std::uint32_t radius) : k_(k), full_radius_(radius), counts_(radius + 1) { start(); }

    // Forgets everything.
    void start() {
        for (const Hit hit : log_) counts_[hit_distance(hit)] = 0;
        log_.clear();
        radius_ = full_radius_;
        n_within_ = 0;
    }

    // Distance beyond which nothing can belong to the answer: that of the k-th so far.
    std::uint32_t radius() const { return radius_; }

    // The same if hits come in ascending row order: a later code at the k-th distance loses the tie. -1 = nothing can.
    // Then at most k hits of each distance are ever added, which bounds the log.
    std::int64_t radius_in_row_order() const { return std::int64_t{radius_} - (n_within_ >= k_); }

    // Needs distance <= radius().
    void add(Hit hit) {
        log_.push_back(hit);
        ++counts_[hit_distance(hit)];
        ++n_within_;
        while (n_within_ - counts_[radius_] >= k_) n_within_ -= counts_[radius_--];
    }

    // The k least, sorted; fewer if fewer were offered.
    std::vector<Hit> take() const {
        std::vector<Hit> best;
        best.reserve(n_within_);
        for (const Hit hit : log_)
            if (hit_distance(hit) <= radius_) best.push_back(hit);
        std::sort(best.begin(), best.end());
        best.resize(std::min(best.size(), k_));
        return best;
    }

private:
    std::size_t k_;
    std::uint32_t full_radius_, radius_ = 0;
    std::size_t n_within_ = 0;         // logged hits within radius_
    std::vector<std::size_t> counts_;  // logged hits by distance
    std::vector<Hit> log_;
};

}  // namespace hashindex
