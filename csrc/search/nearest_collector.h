// Keeps the k least hits of those offered. No heap: a histogram of distances tells at once how far the k-th is, and a
// log keeps what may belong to the answer, cut down to it when it has grown too long.
#pragma once

#include <algorithm>
#include <vector>

#include "hit_order.h"

namespace hashindex {

class NearestCollector {
public:
    NearestCollector(std::size_t k, std::uint32_t radius) : k_(k), radius_(radius), counts_(radius + std::size_t{1}) {
        log_.reserve(std::min<std::size_t>(k, 64) + 64);
    }

    // Distance beyond which nothing can belong to the answer: that of the k-th so far.
    std::uint32_t radius() const { return radius_; }

    bool is_full() const { return n_within_ >= k_; }

    // Codes at or beyond this distance cannot belong to the answer, if hits come in ascending row order: a later code
    // at the k-th distance loses the tie.
    std::uint32_t limit_in_row_order() const { return radius_ + !is_full(); }

    // Needs distance <= radius().
    void add(Hit hit) {
        log_.push_back(hit);
        ++counts_[hit_distance(hit)];
        ++n_within_;
        if (log_.size() == k_) radius_ = hit_distance(*std::max_element(log_.begin(), log_.end()));  // saves the way
        while (n_within_ - counts_[radius_] >= k_) n_within_ -= counts_[radius_--];
        if (log_.size() >= 4 * k_ + 1024) cut();
    }

    // The k least, sorted; fewer if fewer were offered.
    const std::vector<Hit>& take(Stop& stop) {
        stop.check(log_.size());
        cut();
        HitSorter(stop).sort(log_.data(), log_.data() + log_.size());
        return log_;
    }

private:
    // Keeps the k least. Bounds the log: at least 3 k + 1,024 hits go, so that a hit costs O(1) on average.
    void cut() {
        if (log_.size() <= k_) return;
        const auto middle = log_.begin() + static_cast<std::ptrdiff_t>(k_);
        std::nth_element(log_.begin(), middle, log_.end());
        for (auto hit = middle; hit != log_.end(); ++hit) --counts_[hit_distance(*hit)];
        log_.resize(k_);
        n_within_ = k_;
    }

    std::size_t k_;
    std::uint32_t radius_ = 0;
    std::size_t n_within_ = 0;         // logged hits within radius_
    std::vector<std::size_t> counts_;  // logged hits by distance
    std::vector<Hit> log_;
};

}  // namespace hashindex
