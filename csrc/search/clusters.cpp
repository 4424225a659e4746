#include "clusters.h"

#include <array>
#include <numeric>
#include <utility>

#include "hit_order.h"
#include "nearest_collector.h"
#include "query_blocks.h"

namespace hashindex {
namespace {

constexpr std::size_t codes_at_once = 512;  // between two looks at the limit
constexpr std::size_t n_early = 4;          // clusters that a query enters first, so that its limit falls early
constexpr std::size_t clusters_per_stop = 64;
constexpr std::uint32_t was_entered = ~std::uint32_t{0} >> 1;  // instead of the distance to a centroid

// A block of queries on its way through the clusters.
class Visitor {
public:
    Visitor(const Rows& rows, const Clusters& clusters, const Codes& queries, std::size_t first, std::size_t count,
            const Execution& execution)
        : rows_(rows),
          clusters_(clusters),
          kernel_(execution.kernel),
          stop_(execution.stop),
          n_queries_(count),
          n_words_(queries.n_words()),
          words_(words_of(queries, first, count, count)),
          distances_(count * clusters.n_clusters) {
        measure();
    }

    // Calls collect(query, hit) at least once for every row within limit_of(query), which may fall.
    template <class LimitOf, class Collect>
    void visit(LimitOf limit_of, Collect collect) {
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            if (c % clusters_per_stop == 0) stop_.check();
            for (std::size_t q = 0; q < n_queries_; ++q) enter(c, q, limit_of, collect);
        }
    }

    // The same for each query's nearest clusters, which visit() then leaves out.
    template <class LimitOf, class Collect>
    void visit_early(LimitOf limit_of, Collect collect) {
        for (std::size_t q = 0; q < n_queries_; ++q) {
            stop_.check();
            for (const std::size_t c : early(q)) {
                if (c == clusters_.n_clusters) break;
                enter(c, q, limit_of, collect);
                distances_[c * n_queries_ + q] = was_entered;
            }
        }
    }

    Work work;

private:
    // Distances of all queries to all centroids, cluster by cluster.
    void measure() {
        const std::size_t n = clusters_.n_clusters;
        std::vector<Candidate> candidates(n);
        for (std::size_t c = 0; c < n; ++c) candidates[c] = {0, static_cast<std::uint32_t>(c)};
        std::vector<std::uint32_t> own(n);
        for (std::size_t q = 0; q < n_queries_; ++q) {
            work.isa = kernel_
                           .measure(clusters_.centroids, clusters_.code_size, candidates.data(), n,
                                    words_.data() + q * n_words_, own.data())
                           .isa;
            for (std::size_t c = 0; c < n; ++c) distances_[c * n_queries_ + q] = own[c];
        }
    }

    // The query's nearest clusters, nearest first; n_clusters where there are no more.
    std::array<std::size_t, n_early> early(std::size_t q) const {
        std::array<std::size_t, n_early> found;
        std::array<std::uint32_t, n_early> at;
        found.fill(clusters_.n_clusters);
        at.fill(was_entered);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            const std::uint32_t distance = distances_[c * n_queries_ + q];
            if (distance >= at[n_early - 1]) continue;
            std::size_t i = n_early - 1;
            for (; i && at[i - 1] > distance; --i) {
                at[i] = at[i - 1];
                found[i] = found[i - 1];
            }
            at[i] = distance;
            found[i] = c;
        }
        return found;
    }

    template <class LimitOf, class Collect>
    void enter(std::size_t c, std::size_t q, LimitOf limit_of, Collect collect) {
        const Clusters::Run run = clusters_.run(c, distances_[c * n_queries_ + q], limit_of(q));
        if (run.begin >= run.end) return;
        ++work.lookups;
        work.candidates += run.end - run.begin;
        Hit hits[codes_at_once];
        for (std::size_t first = run.begin; first < run.end; first += codes_at_once) {
            const Found found =
                kernel_.within_run(clusters_.codes + first * clusters_.code_size, clusters_.code_size,
                                   std::min(codes_at_once, run.end - first), words_.data() + q * n_words_,
                                   static_cast<std::uint64_t>(limit_of(q)) + 1, hits);
            for (std::size_t i = 0; i < found.count; ++i) {
                const std::size_t row =
                    std::min<std::size_t>(clusters_.rows[first + hit_row(hits[i])], rows_.codes.count - 1);
                if (rows_.has(row)) collect(q, make_hit(hit_distance(hits[i]), row));
            }
        }
    }

    const Rows& rows_;
    const Clusters& clusters_;
    const Kernel& kernel_;
    Stop& stop_;
    const std::size_t n_queries_, n_words_;
    const std::vector<std::uint64_t> words_;
    std::vector<std::uint32_t> distances_;  // (n_clusters, n_queries)
};

}  // namespace

RadiusHits clusters_radius(const Rows& rows, const Clusters& clusters, const Codes& queries, const std::int32_t* radii,
                           const Execution& execution, Work& work, HitBudget& budget) {
    const std::size_t size = queries_per_block(queries.count, execution.n_threads);
    RadiusHits blocks((queries.count + size - 1) / size);
    for_each_block(queries, execution, work,
                   [&](std::size_t block, std::size_t first, std::size_t count, std::vector<Hit>& found) {
                       Visitor visitor(rows, clusters, queries, first, count, execution);
                       found.clear();
                       visitor.visit([&](std::size_t q) { return radii[first + q]; },
                                     [&](std::size_t q, Hit hit) {
                                         budget.take();
                                         found.push_back(std::uint64_t{q} << query_shift | hit);
                                     });
                       blocks[block] = in_order(found, count);
                       return visitor.work;
                   });
    return blocks;
}

void clusters_nearest(const Rows& rows, const Clusters& clusters, const Codes& queries, const std::int32_t* radii,
                      const Execution& execution, const NearestOutput& output, Work& work) {
    for_each_block(queries, execution, work, [&](std::size_t, std::size_t first, std::size_t count, std::vector<Hit>&) {
        Visitor visitor(rows, clusters, queries, first, count, execution);
        std::vector<NearestCollector> nearest;
        nearest.reserve(count);
        for (std::size_t q = 0; q < count; ++q)
            nearest.emplace_back(output.k, static_cast<std::uint32_t>(radii[first + q]));
        const auto limit_of = [&](std::size_t q) { return static_cast<std::int64_t>(nearest[q].radius()); };
        const auto collect = [&](std::size_t q, Hit hit) {
            if (hit_distance(hit) <= nearest[q].radius()) nearest[q].add(hit);
        };
        visitor.visit_early(limit_of, collect);
        visitor.visit(limit_of, collect);
        for (std::size_t q = 0; q < count; ++q) output.write(first + q, nearest[q].take());
        return visitor.work;
    });
}

}  // namespace hashindex
