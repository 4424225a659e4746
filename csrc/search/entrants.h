// Which queries of a block enter which clusters, by their distances to all centroids.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "../kernels/kernel.h"
#include "clusters.h"

namespace hashindex {

// What is done for each pair of query and cluster is done for all queries of a cluster at once, by vectors: to mark who
// enters takes 2 loads, 3 sums, 2 compares and the packing of a byte for each, per vector of pairs.
class Entrants {
    // Distances and limits stay below far. A pair that is left out, or done, is farther.
    static constexpr std::int32_t far = 1 << 18, done = 1 << 30;
    static constexpr std::size_t together = 16;            // whole vectors of distances and of marks
    static constexpr std::size_t measured_at_once = 1024;  // distances to centroids, about

public:
    static constexpr std::size_t n_early = 4;
    static constexpr std::int32_t chosen = 0, left_out = far;  // which pairs are meant: all, but for choose()

    using Marks = std::vector<unsigned char>;  // (padded,) 1 for a query that is meant

    // Queries for whose words there must be room; those behind the last enter nowhere.
    static std::size_t padded(std::size_t n_queries) {
        return n_queries == 1 ? 1 : (n_queries + together - 1) / together * together;
    }

    // `words`: row after row, padded.
    Entrants(const Clusters& clusters, const std::vector<std::uint64_t>& words, std::size_t n_queries,
             const Kernel& kernel)
        : clusters_(clusters),
          padded_(padded(n_queries)),
          limits_(padded_, -far),
          distances_(padded_ * clusters.n_clusters) {
        const std::size_t n_together = std::max<std::size_t>(measured_at_once / padded_, 1);
        std::vector<Candidate> candidates(n_together * padded_);
        for (std::size_t i = 0; i < candidates.size(); ++i)
            candidates[i] = {static_cast<std::uint32_t>(i % padded_), static_cast<std::uint32_t>(i / padded_)};
        std::vector<std::uint32_t> measured(candidates.size());
        for (std::size_t c = 0; c < clusters_.n_clusters; c += n_together) {
            const std::size_t n = std::min(n_together, clusters_.n_clusters - c) * padded_;
            isa_ = kernel
                       .measure(clusters_.centroids + c * clusters_.code_size, clusters_.code_size, candidates.data(),
                                n, words.data(), measured.data())
                       .isa;
            for (std::size_t i = 0; i < n; ++i) distances_[c * padded_ + i] = static_cast<std::int32_t>(measured[i]);
        }
    }

    const char* isa() const { return isa_; }

    // How far query q looks, for mark().
    void set_limit(std::size_t q, std::int64_t limit) {
        limits_[q] = static_cast<std::int32_t>(std::min<std::int64_t>(limit, far / 2));
    }

    std::int64_t limit(std::size_t q) const { return limits_[q]; }

    // Query q enters nowhere any more.
    void dismiss(std::size_t q) { limits_[q] = -far; }
    bool is_dismissed(std::size_t q) const { return limits_[q] < 0; }

    // Query q has been in cluster c.
    void leave(std::size_t c, std::size_t q) { distances_[c * padded_ + q] = done; }

    Clusters::Run run(std::size_t c, std::size_t q, std::int32_t which, std::int64_t limit) const {
        return clusters_.run(c, distances_[c * padded_ + q] - which, limit);
    }
    Clusters::Run run(std::size_t c, std::size_t q, std::int32_t which) const { return run(c, q, which, limits_[q]); }

    Marks marks() const { return Marks(padded_); }

    // Marks the queries for which the bounds leave something of cluster c.
    void mark(std::size_t c, std::int32_t which, Marks& marks) const {
        const Clusters::Span span = clusters_.span(c);
        const std::int64_t low = clusters_.nearest[c], high = low + span.last - span.first - 1;
        const auto nearest = static_cast<std::int32_t>(std::clamp<std::int64_t>(low, 0, far));
        const auto farthest = static_cast<std::int32_t>(std::clamp<std::int64_t>(high, -far, far / 2));
        const std::int32_t *const distances = distances_.data() + c * padded_, *const limits = limits_.data();
        mark_if(
            [=](std::size_t q) {
                const std::int32_t distance = distances[q] - which;
                return (distance <= limits[q] + farthest) & (nearest <= limits[q] + distance);
            },
            marks);
    }

    template <class Visit>
    static void for_marked(const Marks& marks, Visit visit) {
        std::uint64_t some;
        std::size_t q = 0;
        for (; q + sizeof some <= marks.size(); q += sizeof some) {
            std::memcpy(&some, marks.data() + q, sizeof some);
            for (std::size_t i = 0; some && i < sizeof some; ++i)
                if (marks[q + i]) visit(q + i);
        }
        for (; q < marks.size(); ++q)
            if (marks[q]) visit(q);
    }

    // Leaves out all but the `most` nearest clusters of each query; of those as near, but the first.
    void choose(std::size_t most) {
        std::vector<std::size_t> left(padded_, most);  // of those as far as the farthest
        const std::vector<std::int32_t> farthest = find_farthest(left);
        Marks marks(padded_);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            std::int32_t* const distances = distances_.data() + c * padded_;
            const std::int32_t* const own = farthest.data();
            mark_if([=](std::size_t q) { return distances[q] == own[q]; }, marks);
            for (std::size_t q = 0; q < padded_; ++q) distances[q] += distances[q] > own[q] ? left_out : 0;
            for_marked(marks, [&](std::size_t q) {
                if (left[q]) --left[q];
                else distances[q] += left_out;
            });
        }
    }

    // The clusters that each query enters first, so that its limit falls early: its nearest, nearest first; n_clusters
    // where there are no more.
    std::vector<std::array<std::size_t, n_early>> early() const {
        std::array<std::size_t, n_early> none;
        none.fill(clusters_.n_clusters);
        std::vector<std::array<std::size_t, n_early>> found(padded_, none);
        std::array<std::int32_t, n_early> nowhere;
        nowhere.fill(far);
        std::vector<std::array<std::int32_t, n_early>> at(padded_, nowhere);
        std::vector<std::int32_t> bounds(padded_, far);
        Marks marks(padded_);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            const std::int32_t* const distances = distances_.data() + c * padded_;
            const std::int32_t* const own = bounds.data();
            mark_if([=](std::size_t q) { return distances[q] < own[q]; }, marks);
            for_marked(marks, [&](std::size_t q) {
                std::size_t i = n_early - 1;
                for (; i && at[q][i - 1] > distances[q]; --i) {
                    at[q][i] = at[q][i - 1];
                    found[q][i] = found[q][i - 1];
                }
                at[q][i] = distances[q];
                found[q][i] = c;
                bounds[q] = at[q][n_early - 1];
            });
        }
        return found;
    }

private:
    // By vectors: nothing here is read again because a mark was written.
    template <class Belongs>
    static void mark_if(Belongs belongs, Marks& marks) {
        unsigned char* const marked = marks.data();
        const std::size_t n = marks.size();
        for (std::size_t q = 0; q < n; ++q) marked[q] = belongs(q) ? 1 : 0;
    }

    // How far the left[q]-th nearest cluster of query q is; left[q] then tells how many of those as far are among them.
    std::vector<std::int32_t> find_farthest(std::vector<std::size_t>& left) const {
        const std::size_t n_distances = 8 * clusters_.code_size + 1;
        const std::size_t n_together = std::min(together, padded_);  // a cache line of distances
        std::vector<std::uint32_t> counts(n_together * n_distances);
        std::vector<std::int32_t> farthest(padded_);
        for (std::size_t first = 0; first < padded_; first += n_together) {
            std::fill(counts.begin(), counts.end(), 0);
            for (std::size_t c = 0; c < clusters_.n_clusters; ++c)
                for (std::size_t i = 0; i < n_together; ++i)
                    ++counts[i * n_distances + static_cast<std::size_t>(distances_[c * padded_ + first + i])];
            for (std::size_t i = 0; i < n_together; ++i) {
                const std::uint32_t* const own = counts.data() + i * n_distances;
                std::size_t at = 0;
                for (; at < n_distances && own[at] <= left[first + i]; ++at) left[first + i] -= own[at];
                farthest[first + i] = static_cast<std::int32_t>(at);
            }
        }
        return farthest;
    }

    const Clusters& clusters_;
    const std::size_t padded_;
    std::vector<std::int32_t> limits_;     // (padded,); of a query that enters nowhere below any distance
    std::vector<std::int32_t> distances_;  // (n_clusters, padded)
    const char* isa_ = nullptr;
};

}  // namespace hashindex
