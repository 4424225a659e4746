#include "clusters.h"

#include <array>
#include <cstring>

#include "hit_order.h"
#include "nearest_collector.h"
#include "query_blocks.h"
#include "tile_buffer.h"

namespace hashindex {
namespace {

constexpr std::size_t codes_at_once = 512;      // between two looks at the limit
constexpr std::size_t codes_first = 64;         // where a query has met none yet: the limit falls with its first hits
constexpr std::size_t n_early = 4;              // clusters that a query enters first, so that its limit falls early
constexpr std::size_t lone_group = 16;          // clusters whose memory a lone query asks for together
constexpr std::size_t asked_ahead = 256;        // bytes of a run, before it is read
constexpr std::size_t nearest_together = 512;   // queries for each that reads the codes: hits need not tell whose
constexpr std::size_t looks_apart = 16;         // clusters between two looks at whether to stop
constexpr std::size_t codes_apart = 1 << 17;    // and codes
constexpr std::size_t queries_together = 16;    // whole vectors of distances and of marks
constexpr std::size_t tile_queries = 16;        // that are compared with a tile together
constexpr std::size_t fewest_sharing = 16;      // queries of a block whose clusters become tiles
constexpr std::size_t n_bins = 64;              // by which queries are ordered
constexpr std::size_t measured_at_once = 1024;  // distances to centroids, about

// Distances and limits stay below far. A pair of query and cluster that is left out, for now or for good, is farther.
constexpr std::int32_t far = 1 << 18, left_out = far, done = 1 << 30;

std::int32_t as_limit(std::int64_t limit) { return static_cast<std::int32_t>(std::min<std::int64_t>(limit, far / 2)); }

// A block of queries on its way through the clusters. What is done for each pair of query and cluster is done for all
// queries of a cluster at once: some 5 vector instructions of the least x86-64 per 4 pairs and look.
class Visitor {
public:
    Visitor(const Rows& rows, const Clusters& clusters, const Codes& queries, std::size_t first, std::size_t count,
            const Execution& execution)
        : rows_(rows),
          clusters_(clusters),
          kernel_(execution.kernel),
          stop_(execution.stop),
          n_queries_(count),
          padded_(count == 1 ? 1 : (count + queries_together - 1) / queries_together * queries_together),
          n_words_(queries.n_words()),
          words_(words_of(queries, first, count, padded_)),
          limits_(padded_, -far),
          distances_(padded_ * clusters.n_clusters),
          marks_{std::vector<unsigned char>(padded_), std::vector<unsigned char>(padded_)} {
        const std::size_t n_together = std::max<std::size_t>(measured_at_once / padded_, 1);
        std::vector<Candidate> candidates(n_together * padded_);
        for (std::size_t i = 0; i < candidates.size(); ++i)
            candidates[i] = {static_cast<std::uint32_t>(i % padded_), static_cast<std::uint32_t>(i / padded_)};
        std::vector<std::uint32_t> measured(candidates.size());
        for (std::size_t c = 0; c < clusters_.n_clusters; c += n_together) {
            const std::size_t n = std::min(n_together, clusters_.n_clusters - c) * padded_;
            work.isa = kernel_
                           .measure(clusters_.centroids + c * clusters_.code_size, clusters_.code_size,
                                    candidates.data(), n, words_.data(), measured.data())
                           .isa;
            for (std::size_t i = 0; i < n; ++i) distances_[c * padded_ + i] = static_cast<std::int32_t>(measured[i]);
        }
    }

    // Calls collect(query, hit) once for every row within limit_of(query), which may fall: of each query in the
    // clusters that are neither done nor left out.
    template <class LimitOf, class Collect>
    void visit(LimitOf limit_of, Collect collect) {
        look(limit_of);
        if (n_queries_ == 1) return visit_alone(limit_of, collect);
        if (n_queries_ >= fewest_sharing && kernel_.planes_per_byte == 0) return visit_together(limit_of, collect);
        walk(0,
             [&](std::size_t c, std::size_t q) { scan(run(c, q, 0, limit_of), q, codes_at_once, limit_of, collect); });
    }

    // The same for each query's nearest clusters, which are done then.
    template <class LimitOf, class Collect>
    void visit_early(LimitOf limit_of, Collect collect) {
        find_early();
        for (std::size_t q = 0; q < n_queries_; ++q) {
            stop_.check();
            for (std::size_t i = 0; i < n_early && early_[i][q].cluster < clusters_.n_clusters; ++i) {
                const std::size_t c = early_[i][q].cluster;
                scan(run(c, q, 0, limit_of), q, i ? codes_at_once : codes_first, limit_of, collect);
                distances_[c * padded_ + q] = done;
            }
        }
    }

    // Leaves out all but the `most` nearest clusters of each query; of those as near, but the first.
    void choose(std::size_t most) {
        const std::size_t n_distances = 8 * clusters_.code_size + 1;
        const std::size_t n_together = std::min(queries_together, padded_);  // a cache line of distances
        std::vector<std::uint32_t> counts(n_together * n_distances);
        std::vector<std::size_t> left(padded_, most);
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
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            std::int32_t* const distances = distances_.data() + c * padded_;
            const std::int32_t* const own = farthest.data();
            mark([=](std::size_t q) { return distances[q] == own[q]; }, marks_[0]);
            for (std::size_t q = 0; q < padded_; ++q) distances[q] += distances[q] > own[q] ? left_out : 0;
            for_marked(marks_[0], [&](std::size_t q) {
                if (left[q]) --left[q];
                else distances[q] += left_out;
            });
        }
    }

    // Visits what was left out of queries that want more. Calls misses(q) for the others if something that could change
    // the answer was left out.
    template <class LimitOf, class Collect, class Misses>
    void visit_left_out(const std::vector<bool>& wants_more, LimitOf limit_of, Collect collect, Misses misses) {
        look(limit_of);
        walk(left_out, [&](std::size_t c, std::size_t q) {
            const Clusters::Run more = run(c, q, left_out, limit_of);
            if (limits_[q] < 0 || more.begin >= more.end) return;
            if (wants_more[q]) return scan(more, q, codes_at_once, limit_of, collect);
            misses(q);
            limits_[q] = -far;  // once is enough
        });
    }

    Work work;

private:
    struct Entering {
        Clusters::Run run;
        std::size_t q;
    };
    struct Near {
        std::int32_t distance;
        std::size_t cluster;
    };

    // Finds each query's nearest clusters, nearest first; n_clusters where there are no more.
    void find_early() {
        for (auto& nearest : early_) nearest.assign(padded_, {far, clusters_.n_clusters});
        std::vector<std::int32_t> bounds(padded_, far);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            const std::int32_t* const distances = distances_.data() + c * padded_;
            const std::int32_t* const own = bounds.data();
            mark([=](std::size_t q) { return distances[q] < own[q]; }, marks_[0]);
            for_marked(marks_[0], [&](std::size_t q) {
                std::size_t i = n_early - 1;
                for (; i && early_[i - 1][q].distance > distances[q]; --i) early_[i][q] = early_[i - 1][q];
                early_[i][q] = {distances[q], c};
                bounds[q] = early_[n_early - 1][q].distance;
            });
        }
    }

    template <class LimitOf>
    void look(LimitOf limit_of) {
        for (std::size_t q = 0; q < n_queries_; ++q) limits_[q] = as_limit(limit_of(q));
    }

    template <class LimitOf>
    Clusters::Run run(std::size_t c, std::size_t q, std::int32_t beyond, LimitOf limit_of) const {
        return clusters_.run(c, distances_[c * padded_ + q] - beyond, limit_of(q));
    }

    // Marks the queries for which the bounds leave something of cluster c, at their distances less `beyond`.
    void mark(std::size_t c, std::int32_t beyond, std::vector<unsigned char>& marks) const {
        const std::int64_t low = clusters_.nearest[c], high = low + clusters_.firsts[c + 1] - clusters_.firsts[c] - 2;
        const auto nearest = static_cast<std::int32_t>(std::clamp<std::int64_t>(low, 0, far));
        const auto farthest = static_cast<std::int32_t>(std::clamp<std::int64_t>(high, -far, far / 2));
        const std::int32_t *const distances = distances_.data() + c * padded_, *const limits = limits_.data();
        mark(
            [=](std::size_t q) {
                const std::int32_t distance = distances[q] - beyond;
                return (distance <= limits[q] + farthest) & (nearest <= limits[q] + distance);
            },
            marks);
    }

    // Marks the queries that belong, by vectors: nothing here is read again because a mark was written.
    template <class Belongs>
    static void mark(Belongs belongs, std::vector<unsigned char>& marks) {
        unsigned char* const marked = marks.data();
        const std::size_t n = marks.size();
        for (std::size_t q = 0; q < n; ++q) marked[q] = belongs(q) ? 1 : 0;
    }

    template <class Visit>
    static void for_marked(const std::vector<unsigned char>& marks, Visit visit) {
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

    // Calls enter(cluster, query) for what the bounds leave, cluster by cluster: the first query brings it into the
    // cache, and the others find it there. The next cluster is marked, and asked for, before one is entered: limits
    // that fall meanwhile make marks too many, never too few.
    template <class Enter>
    void walk(std::int32_t beyond, Enter enter) {
        if (clusters_.n_clusters) mark(0, beyond, marks_[0]);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            if (c % looks_apart == 0) stop_.check();
            if (c + 1 < clusters_.n_clusters) {
                mark(c + 1, beyond, marks_[(c + 1) % 2]);
                ask_for(c + 1, beyond, marks_[(c + 1) % 2]);
            }
            for_marked(marks_[c % 2], [&](std::size_t q) { enter(c, q); });
        }
    }

    // As walk(), for queries that share tiles: those whose runs begin nearby are compared with all that any of them
    // must look at, in groups. What a query meets outside its run is not within its limit.
    template <class LimitOf, class Collect>
    void visit_together(LimitOf limit_of, Collect collect) {
        TileBuffer buffer({clusters_.codes, clusters_.n_codes, clusters_.code_size}, tile_queries, kernel_);
        AlignedBuffer<Hit> hits(buffer.capacity() * tile_queries);
        std::vector<Entering> entering, sorted;
        std::vector<std::uint64_t> words(tile_queries * n_words_);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            if (c % looks_apart == 0) stop_.check();
            mark(c, 0, marks_[0]);
            find_entering(c, limit_of, entering, sorted);
            if (entering.empty()) continue;
            Clusters::Run all = spanned(sorted.data(), sorted.size());
            while (all.begin < all.end) {
                stop_.check();
                const Tile tile = buffer.run(all.begin, std::min(buffer.capacity(), all.end - all.begin));
                for (std::size_t first = 0; first < sorted.size(); first += tile_queries)
                    compare(tile, all.begin, sorted.data() + first, std::min(tile_queries, sorted.size() - first),
                            words, hits.data(), limit_of, collect);
                all.begin += tile.n_codes;
            }
        }
    }

    // The marked queries with their runs of cluster c, and the same about in the order of where these begin.
    template <class LimitOf>
    void find_entering(std::size_t c, LimitOf limit_of, std::vector<Entering>& entering,
                       std::vector<Entering>& sorted) {
        entering.clear();
        std::size_t least = clusters_.n_codes, most = 0;
        for_marked(marks_[0], [&](std::size_t q) {
            const Clusters::Run left = run(c, q, 0, limit_of);
            if (left.begin >= left.end) return;
            work.candidates += left.end - left.begin;
            entering.push_back({left, q});
            least = std::min(least, left.begin);
            most = std::max(most, left.begin);
        });
        work.lookups += entering.size();
        if (entering.empty()) return;
        std::array<std::size_t, n_bins + 1> bins{};
        const std::size_t width = (most - least) / n_bins + 1;
        sorted.resize(entering.size());
        for (const Entering& one : entering) ++bins[(one.run.begin - least) / width + 1];
        for (std::size_t bin = 1; bin <= n_bins; ++bin) bins[bin] += bins[bin - 1];
        for (const Entering& one : entering) sorted[bins[(one.run.begin - least) / width]++] = one;
    }

    // From the first code that one of the runs has to the last.
    static Clusters::Run spanned(const Entering* entering, std::size_t count) {
        Clusters::Run all = entering[0].run;
        for (std::size_t i = 1; i < count; ++i) {
            all.begin = std::min(all.begin, entering[i].run.begin);
            all.end = std::max(all.end, entering[i].run.end);
        }
        return all;
    }

    // Compares queries with what any of them must look at of a tile, whose first code is at `place`.
    template <class LimitOf, class Collect>
    void compare(const Tile& tile, std::size_t place, const Entering* queries, std::size_t count,
                 std::vector<std::uint64_t>& words, Hit* hits, LimitOf limit_of, Collect collect) {
        const Clusters::Run all = spanned(queries, count);
        std::size_t begin = std::max(all.begin, place);
        const std::size_t end = std::min(all.end, place + tile.n_codes);
        if (begin >= end) return;
        begin = (begin - place) / tile_step * tile_step;
        std::array<std::uint64_t, tile_queries> limits{};
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t q = queries[i].q;
            std::copy_n(words_.data() + q * n_words_, n_words_, words.data() + i * n_words_);
            limits[i] = static_cast<std::uint64_t>(limit_of(q)) + 1;
        }
        const std::size_t padded = (count + query_step - 1) / query_step * query_step;
        const Found found =
            kernel_.within(tile.part(begin, end - place - begin), {words.data(), limits.data(), padded}, hits);
        for (std::size_t i = 0; i < found.count; ++i) {
            const std::size_t q = queries[hit_query(hits[i])].q;
            const std::size_t at = place + begin + hit_row(hits[i]);
            const std::size_t row = std::min<std::size_t>(clusters_.rows[at], rows_.codes.count - 1);
            if (!rows_.has(row)) continue;
            collect(q, make_hit(hit_distance(hits[i]), row));
            limits_[q] = as_limit(limit_of(q));
        }
    }

    void ask_for(std::size_t c, std::int32_t beyond, const std::vector<unsigned char>& marks) const {
        const void* const first = std::memchr(marks.data(), 1, marks.size());
        if (!first) return;
        const auto q = static_cast<std::size_t>(static_cast<const unsigned char*>(first) - marks.data());
        ask_for(clusters_.run(c, distances_[c * padded_ + q] - beyond, limits_[q]));
    }

    void ask_for(Clusters::Run run) const {
        if (run.begin >= run.end) return;
        const std::size_t n_bytes = (run.end - run.begin) * clusters_.code_size;
        const unsigned char* const codes = clusters_.codes + run.begin * clusters_.code_size;
        for (std::size_t at = 0; at < std::min(n_bytes, asked_ahead); at += 64) __builtin_prefetch(codes + at);
    }

    // A lone query waits for memory: it asks for the runs of many clusters, then reads them.
    template <class LimitOf, class Collect>
    void visit_alone(LimitOf limit_of, Collect collect) {
        for (std::size_t first = 0; first < clusters_.n_clusters; first += lone_group) {
            stop_.check();
            std::array<Clusters::Run, lone_group> runs;
            std::size_t n_runs = 0;
            for (std::size_t c = first; c < std::min(first + lone_group, clusters_.n_clusters); ++c) {
                const Clusters::Run left = run(c, 0, 0, limit_of);
                if (left.begin >= left.end) continue;
                ask_for(left);
                runs[n_runs++] = left;
            }
            for (std::size_t i = 0; i < n_runs; ++i) scan(runs[i], 0, codes_at_once, limit_of, collect);
        }
    }

    // Reads a run in steps that double from `step` codes, each with the limit of then.
    template <class LimitOf, class Collect>
    void scan(Clusters::Run run, std::size_t q, std::size_t step, LimitOf limit_of, Collect collect) {
        if (run.begin >= run.end) return;
        ++work.lookups;
        work.candidates += run.end - run.begin;
        Hit hits[codes_at_once];
        for (std::size_t first = run.begin; first < run.end; first += step, step = std::min(2 * step, codes_at_once)) {
            if ((n_unlooked_ += step) >= codes_apart) {
                stop_.check();
                n_unlooked_ = 0;
            }
            const Found found =
                kernel_.within_run(clusters_.codes + first * clusters_.code_size, clusters_.code_size,
                                   std::min(step, run.end - first), clusters_.n_codes - first,
                                   words_.data() + q * n_words_, static_cast<std::uint64_t>(limit_of(q)) + 1, hits);
            for (std::size_t i = 0; i < found.count; ++i) {
                const std::size_t row =
                    std::min<std::size_t>(clusters_.rows[first + hit_row(hits[i])], rows_.codes.count - 1);
                if (rows_.has(row)) collect(q, make_hit(hit_distance(hits[i]), row));
            }
        }
        limits_[q] = as_limit(limit_of(q));
    }

    const Rows& rows_;
    const Clusters& clusters_;
    const Kernel& kernel_;
    Stop& stop_;
    const std::size_t n_queries_, padded_, n_words_;
    const std::vector<std::uint64_t> words_;
    std::vector<std::int32_t> limits_;     // (padded,) of the queries; nobody's are below any distance
    std::vector<std::int32_t> distances_;  // (n_clusters, padded)
    std::array<std::vector<unsigned char>, 2> marks_;
    std::array<std::vector<Near>, n_early> early_;
    std::size_t n_unlooked_ = 0;  // codes since the last look at whether to stop
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
    for_each_block(
        queries, execution, work,
        [&](std::size_t, std::size_t first, std::size_t count, HitLog&) {
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
            visitor.visit(limit_of, collect);
            if (stops_early) {
                // A limit from another part says that this one need not have k rows.
                std::vector<bool> wants_more(count);
                for (std::size_t q = 0; q < count; ++q)
                    wants_more[q] =
                        !nearest[q].is_full() && static_cast<std::size_t>(radii[first + q]) >= 8 * clusters.code_size;
                visitor.visit_left_out(wants_more, limit_of, collect, [&](std::size_t q) {
                    if (output.proven) output.proven[first + q] = false;
                });
            }
            for (std::size_t q = 0; q < count; ++q)
                output.write(first + q, nearest[q].take(execution.stop), execution.stop);
            return visitor.work;
        },
        nearest_together);
}

}  // namespace hashindex
