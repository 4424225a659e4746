#include "clusters.h"

#include <array>

#include "hit_order.h"
#include "nearest_collector.h"
#include "query_blocks.h"

namespace hashindex {
namespace {

constexpr std::size_t codes_at_once = 512;         // between two looks at the limit
constexpr std::size_t n_early = 4;                 // clusters that a query enters first, so that its limit falls early
constexpr std::size_t lone_group = 16, group = 2;  // clusters that all queries pass together; see enter_group()
constexpr std::size_t asked_ahead = 256;  // bytes of a run, before the runs of a group are read one after the other
constexpr std::uint32_t was_entered = ~std::uint32_t{0} >> 1;  // instead of the distance to a centroid
constexpr std::size_t looks_apart = 16;                        // clusters between two looks at whether to stop

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
        std::vector<Candidate> candidates(clusters_.n_clusters);
        for (std::size_t c = 0; c < candidates.size(); ++c) candidates[c] = {0, static_cast<std::uint32_t>(c)};
        for (std::size_t q = 0; q < n_queries_; ++q)
            work.isa = kernel_
                           .measure(clusters_.centroids, clusters_.code_size, candidates.data(), candidates.size(),
                                    words_.data() + q * n_words_, distances_.data() + q * clusters_.n_clusters)
                           .isa;
    }

    // Calls collect(query, hit) once for every row within limit_of(query), which may fall.
    template <class LimitOf, class Collect>
    void visit(LimitOf limit_of, Collect collect) {
        const std::size_t step = n_queries_ == 1 ? lone_group : group;
        for (std::size_t c = 0; c < clusters_.n_clusters; c += step) {
            stop_.check();
            for (std::size_t q = 0; q < n_queries_; ++q)
                enter_group(c, std::min(c + step, clusters_.n_clusters), q, limit_of, collect);
        }
    }

    // The same for each query's nearest clusters, which visit() then leaves out.
    template <class LimitOf, class Collect>
    void visit_early(LimitOf limit_of, Collect collect) {
        for (std::size_t q = 0; q < n_queries_; ++q) {
            stop_.check();
            std::uint32_t* const distances = distances_.data() + q * clusters_.n_clusters;
            const std::array<std::size_t, n_early> nearest = early(distances);
            for (std::size_t i = 0; i < most_early_ && nearest[i] < clusters_.n_clusters; ++i) {
                const std::size_t c = nearest[i];
                scan(clusters_.run(c, distances[c], limit_of(q)), q, limit_of, collect);
                distances[c] = was_entered;
            }
        }
    }

    // Chooses the `most` nearest clusters of each query; of those as near, the first.
    void choose(std::size_t most) {
        most_early_ = std::min(n_early, most);
        chosen_.assign(clusters_.n_clusters, {});
        std::vector<std::size_t> counts;
        for (std::size_t q = 0; q < n_queries_; ++q) {
            const std::uint32_t* const distances = distances_.data() + q * clusters_.n_clusters;
            counts.assign(8 * clusters_.code_size + 1, 0);
            for (std::size_t c = 0; c < clusters_.n_clusters; ++c) ++counts[distances[c]];
            std::size_t farthest = 0, left = most;
            while (farthest < counts.size() && counts[farthest] <= left) left -= counts[farthest++];
            for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
                if (distances[c] > farthest) continue;
                if (distances[c] < farthest || left) chosen_[c][q / 64] |= std::uint64_t{1} << q % 64;
                if (distances[c] == farthest && left) --left;
            }
        }
    }

    // As visit(), of each query the chosen ones.
    template <class LimitOf, class Collect>
    void visit_chosen(LimitOf limit_of, Collect collect) {
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            if (c % looks_apart == 0) stop_.check();
            for (std::size_t first = 0; first < n_queries_; first += 64)
                for (std::uint64_t left = chosen_[c][first / 64]; left; left &= left - 1) {
                    const std::size_t q = first + static_cast<std::size_t>(__builtin_ctzll(left));
                    scan(clusters_.run(c, distances_[q * clusters_.n_clusters + c], limit_of(q)), q, limit_of, collect);
                }
        }
    }

    // Visits the others too, if query q wants more. Whether nothing that could change the answer was left out.
    template <class LimitOf, class Collect>
    bool visit_others(std::size_t q, bool wants_more, LimitOf limit_of, Collect collect) {
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            if (chosen_[c][q / 64] >> q % 64 & 1) continue;
            const Clusters::Run run = clusters_.run(c, distances_[q * clusters_.n_clusters + c], limit_of(q));
            if (run.begin >= run.end) continue;
            if (!wants_more) return false;
            stop_.check();
            scan(run, q, limit_of, collect);
        }
        return true;
    }

    Work work;

private:
    // The nearest clusters, nearest first; n_clusters where there are no more.
    std::array<std::size_t, n_early> early(const std::uint32_t* distances) const {
        std::array<std::size_t, n_early> found;
        std::array<std::uint32_t, n_early> at;
        found.fill(clusters_.n_clusters);
        at.fill(was_entered);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            if (distances[c] >= at[n_early - 1]) continue;
            std::size_t i = n_early - 1;
            for (; i && at[i - 1] > distances[c]; --i) {
                at[i] = at[i - 1];
                found[i] = found[i - 1];
            }
            at[i] = distances[c];
            found[i] = c;
        }
        return found;
    }

    // Asks for the runs that the bounds leave of a group of clusters, then reads them. A lone query waits for memory,
    // so it asks for many; of a batch the first query brings a cluster into the cache, and the others find it there.
    template <class LimitOf, class Collect>
    void enter_group(std::size_t first, std::size_t last, std::size_t q, LimitOf limit_of, Collect collect) {
        const std::uint32_t* const distances = distances_.data() + q * clusters_.n_clusters;
        const std::int64_t limit = limit_of(q);
        std::array<Clusters::Run, lone_group> runs;
        std::size_t n_runs = 0;
        for (std::size_t c = first; c < last; ++c) {
            const Clusters::Run run = clusters_.run(c, distances[c], limit);
            if (run.begin >= run.end) continue;
            const std::size_t n_bytes = (run.end - run.begin) * clusters_.code_size;
            const unsigned char* const codes = clusters_.codes + run.begin * clusters_.code_size;
            for (std::size_t at = 0; at < std::min(n_bytes, asked_ahead); at += 64) __builtin_prefetch(codes + at);
            runs[n_runs++] = run;
        }
        for (std::size_t i = 0; i < n_runs; ++i) scan(runs[i], q, limit_of, collect);
    }

    template <class LimitOf, class Collect>
    void scan(Clusters::Run run, std::size_t q, LimitOf limit_of, Collect collect) {
        if (run.begin >= run.end) return;
        ++work.lookups;
        work.candidates += run.end - run.begin;
        Hit hits[codes_at_once];
        for (std::size_t first = run.begin; first < run.end; first += codes_at_once) {
            const Found found =
                kernel_.within_run(clusters_.codes + first * clusters_.code_size, clusters_.code_size,
                                   std::min(codes_at_once, run.end - first), clusters_.n_codes - first,
                                   words_.data() + q * n_words_, static_cast<std::uint64_t>(limit_of(q)) + 1, hits);
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
    std::vector<std::uint32_t> distances_;                                   // (n_queries, n_clusters)
    std::vector<std::array<std::uint64_t, max_block_queries / 64>> chosen_;  // (n_clusters,) a bit for each query
    std::size_t most_early_ = n_early;
};

}  // namespace

RadiusHits clusters_radius(const Rows& rows, const Clusters& clusters, const Codes& queries, const std::int32_t* radii,
                           const Execution& execution, Work& work, HitBudget& budget) {
    const std::size_t size = queries_per_block(queries.count, execution.n_threads);
    RadiusHits blocks((queries.count + size - 1) / size);
    for_each_block(queries, execution, work,
                   [&](std::size_t block, std::size_t first, std::size_t count, HitLog& found) {
                       Visitor visitor(rows, clusters, queries, first, count, execution);
                       found.clear();
                       visitor.visit([&](std::size_t q) { return radii[first + q]; },
                                     [&](std::size_t q, Hit hit) {
                                         budget.take();
                                         found.add(std::uint64_t{q} << query_shift | hit);
                                     });
                       blocks[block] = in_order(found, count, execution.stop);
                       return visitor.work;
                   });
    return blocks;
}

void clusters_nearest(const Rows& rows, const Clusters& clusters, const Codes& queries, const std::int32_t* radii,
                      const Execution& execution, const NearestOutput& output, Work& work, std::size_t most) {
    for_each_block(queries, execution, work, [&](std::size_t, std::size_t first, std::size_t count, HitLog&) {
        Visitor visitor(rows, clusters, queries, first, count, execution);
        std::vector<NearestCollector> nearest;
        nearest.reserve(count);
        for (std::size_t q = 0; q < count; ++q)
            nearest.emplace_back(output.k, static_cast<std::uint32_t>(radii[first + q]));
        const auto limit_of = [&](std::size_t q) { return static_cast<std::int64_t>(nearest[q].radius()); };
        const auto collect = [&](std::size_t q, Hit hit) {
            if (hit_distance(hit) <= nearest[q].radius()) nearest[q].add(hit);
        };
        const bool stops_early = most && most < clusters.n_clusters;
        if (stops_early) visitor.choose(most);
        visitor.visit_early(limit_of, collect);
        if (stops_early) visitor.visit_chosen(limit_of, collect);
        else visitor.visit(limit_of, collect);
        for (std::size_t q = 0; stops_early && q < count; ++q) {
            // A limit from another part says that this one need not have k rows.
            const bool wants_more =
                !nearest[q].is_full() && static_cast<std::size_t>(radii[first + q]) >= 8 * clusters.code_size;
            if (!visitor.visit_others(q, wants_more, limit_of, collect) && output.proven)
                output.proven[first + q] = false;
        }
        for (std::size_t q = 0; q < count; ++q)
            output.write(first + q, nearest[q].take(execution.stop), execution.stop);
        return visitor.work;
    });
}

}  // namespace hashindex
