#include "clusters.h"

#include <array>
#include <cstring>

#include "entrants.h"
#include "hit_order.h"
#include "nearest_collector.h"
#include "query_blocks.h"
#include "tile_buffer.h"

namespace hashindex {
namespace {

constexpr std::size_t codes_at_once = 512;    // between two looks at the limit
constexpr std::size_t codes_first = 64;       // where a query has met none yet: the limit falls with its first hits
constexpr std::size_t lone_group = 16;        // clusters whose memory a lone query asks for together
constexpr std::size_t asked_ahead = 256;      // bytes of a run, before it is read
constexpr std::size_t together = 512;         // queries that meet a cluster while it is in the cache
constexpr std::size_t looks_apart = 16;       // clusters between two looks at whether to stop
constexpr std::size_t codes_apart = 1 << 17;  // and codes
constexpr std::size_t tile_queries = 16;      // that are compared with a tile together
constexpr std::size_t fewest_sharing = 16;    // queries of a block whose clusters become tiles
constexpr std::size_t n_bins = 64;            // by which queries are ordered

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
          words_(words_of(queries, first, count, Entrants::padded(count))),
          entrants_(clusters, words_, count, execution.kernel) {
        work.isa = entrants_.isa();
    }

    // Calls collect(query, hit) once for every row within limit_of(query), which may fall: of each query in the
    // clusters where it has not been and that are not left out.
    template <class LimitOf, class Collect>
    void visit(LimitOf limit_of, Collect collect) {
        look(limit_of);
        if (n_queries_ == 1) return visit_alone(limit_of, collect);
        if (n_queries_ >= fewest_sharing && kernel_.prefers_tiles()) return visit_together(limit_of, collect);
        walk(Entrants::chosen, [&](std::size_t c, std::size_t q) {
            scan(entrants_.run(c, q, Entrants::chosen, limit_of(q)), q, codes_at_once, limit_of, collect);
        });
    }

    // The same for each query's nearest clusters, where it has been then.
    template <class LimitOf, class Collect>
    void visit_early(LimitOf limit_of, Collect collect) {
        const auto early = entrants_.early();
        for (std::size_t q = 0; q < n_queries_; ++q) {
            stop_.check();
            std::size_t step = codes_first;
            for (const std::size_t c : early[q]) {
                if (c == clusters_.n_clusters) break;
                scan(entrants_.run(c, q, Entrants::chosen, limit_of(q)), q, step, limit_of, collect);
                entrants_.leave(c, q);
                step = codes_at_once;
            }
        }
    }

    // Leaves out all but the `most` nearest clusters of each query.
    void choose(std::size_t most) { entrants_.choose(most); }

    // Visits what was left out of queries that want more. Calls misses(q) for the others if something that could change
    // the answer was left out.
    template <class LimitOf, class Collect, class Misses>
    void visit_left_out(const std::vector<bool>& wants_more, LimitOf limit_of, Collect collect, Misses misses) {
        look(limit_of);
        walk(Entrants::left_out, [&](std::size_t c, std::size_t q) {
            const Clusters::Run more = entrants_.run(c, q, Entrants::left_out, limit_of(q));
            if (entrants_.is_dismissed(q) || more.begin >= more.end) return;
            if (wants_more[q]) return scan(more, q, codes_at_once, limit_of, collect);
            misses(q);
            entrants_.dismiss(q);  // once is enough
        });
    }

    Work work;

private:
    struct Entering {
        std::uint32_t begin, end, q, bin;  // the run, whose, and about where it begins
    };

    template <class LimitOf>
    void look(LimitOf limit_of) {
        for (std::size_t q = 0; q < n_queries_; ++q) entrants_.set_limit(q, limit_of(q));
    }

    // Calls enter(cluster, query) for what the bounds leave, cluster by cluster: the first query brings it into the
    // cache, and the others find it there. The next cluster is marked, and asked for, before one is entered: limits
    // that fall meanwhile make marks too many, never too few.
    template <class Enter>
    void walk(std::int32_t which, Enter enter) {
        Entrants::Marks marks = entrants_.marks(), next = marks;
        entrants_.mark(0, which, marks);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c, marks.swap(next)) {
            if (c % looks_apart == 0) stop_.check();
            if (c + 1 < clusters_.n_clusters) {
                entrants_.mark(c + 1, which, next);
                if (const void* const first = std::memchr(next.data(), 1, next.size())) {
                    const auto q = static_cast<std::size_t>(static_cast<const unsigned char*>(first) - next.data());
                    ask_for(entrants_.run(c + 1, q, which));
                }
            }
            Entrants::for_marked(marks, [&](std::size_t q) { enter(c, q); });
        }
    }

    // As walk(), for queries that share tiles: those whose runs begin nearby are compared with all that any of them
    // must look at, in groups. What a query meets outside its run is not within its limit.
    template <class LimitOf, class Collect>
    void visit_together(LimitOf limit_of, Collect collect) {
        TileBuffer buffer({clusters_.codes, clusters_.n_codes, clusters_.code_size}, tile_queries, kernel_);
        AlignedBuffer<Hit> hits(buffer.capacity() * tile_queries);
        Entrants::Marks marks = entrants_.marks();
        std::vector<Entering> entering(n_queries_), sorted(n_queries_);
        std::vector<std::uint64_t> words(tile_queries * n_words_);
        for (std::size_t c = 0; c < clusters_.n_clusters; ++c) {
            if (c % looks_apart == 0) stop_.check();
            entrants_.mark(c, Entrants::chosen, marks);
            const std::size_t count = find_entering(c, marks, entering, sorted);
            if (count == 0) continue;
            Clusters::Run all = spanned(sorted.data(), count);
            while (all.begin < all.end) {
                stop_.check();
                const Tile tile = buffer.run(all.begin, std::min(buffer.capacity(), all.end - all.begin));
                for (std::size_t first = 0; first < count; first += tile_queries)
                    compare(tile, all.begin, sorted.data() + first, std::min(tile_queries, count - first), words,
                            hits.data(), limit_of, collect);
                all.begin += tile.n_codes;
            }
        }
    }

    // The marked queries with their runs of cluster c, about in the order of where these begin; returns how many. Some
    // 40 instructions for each.
    std::size_t find_entering(std::size_t c, const Entrants::Marks& marks, std::vector<Entering>& entering,
                              std::vector<Entering>& sorted) {
        const Clusters::Span span = clusters_.span(c);
        if (span.first >= span.last) return 0;
        const std::uint32_t base = clusters_.places[span.first], size = clusters_.places[span.last] - base;
        unsigned shift = 0;
        while (size >> shift >= n_bins) ++shift;
        std::array<std::uint32_t, n_bins + 1> bins{};
        std::size_t count = 0;
        Entrants::for_marked(marks, [&](std::size_t q) {
            const Clusters::Run left = entrants_.run(c, q, Entrants::chosen);
            if (left.begin >= left.end) return;
            work.candidates += left.end - left.begin;
            const auto begin = static_cast<std::uint32_t>(left.begin), end = static_cast<std::uint32_t>(left.end);
            const std::uint32_t bin = std::min<std::uint32_t>((begin - base) >> shift, n_bins - 1);
            entering[count++] = {begin, end, static_cast<std::uint32_t>(q), bin};
            ++bins[bin + 1];
        });
        work.lookups += count;
        for (std::size_t bin = 1; bin <= n_bins; ++bin) bins[bin] += bins[bin - 1];
        for (std::size_t i = 0; i < count; ++i) sorted[bins[entering[i].bin]++] = entering[i];
        return count;
    }

    // From the first code that one of the runs has to the last.
    static Clusters::Run spanned(const Entering* entering, std::size_t count) {
        std::uint32_t begin = entering[0].begin, end = entering[0].end;
        for (std::size_t i = 1; i < count; ++i) {
            begin = std::min(begin, entering[i].begin);
            end = std::max(end, entering[i].end);
        }
        return {begin, end};
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
            limits[i] = static_cast<std::uint64_t>(entrants_.limit(q)) + 1;
        }
        const std::size_t padded = (count + query_step - 1) / query_step * query_step;
        const Found found =
            kernel_.within(tile.part(begin, end - place - begin), {words.data(), limits.data(), padded}, hits);
        for (std::size_t i = 0; i < found.count; ++i) {
            const std::size_t q = queries[hit_query(hits[i])].q;
            offer(q, place + begin, hits[i], collect);
            entrants_.set_limit(q, limit_of(q));
        }
    }

    // Collects what was found behind `place`, unless it was removed.
    template <class Collect>
    void offer(std::size_t q, std::size_t place, Hit hit, Collect collect) {
        const std::size_t row = std::min<std::size_t>(clusters_.rows[place + hit_row(hit)], rows_.codes.count - 1);
        if (rows_.has(row)) collect(q, make_hit(hit_distance(hit), row));
    }

    // Inlined always: see prefetch.h.
    inline __attribute__((always_inline)) void ask_for(Clusters::Run run) const {
        if (run.begin >= run.end) return;
        const std::size_t n_bytes = (run.end - run.begin) * clusters_.code_size;
        const unsigned char* const codes = clusters_.codes + run.begin * clusters_.code_size;
        prefetch(codes, std::min(n_bytes, asked_ahead));
    }

    // A lone query waits for memory: it asks for the runs of many clusters, then reads them.
    template <class LimitOf, class Collect>
    void visit_alone(LimitOf limit_of, Collect collect) {
        for (std::size_t first = 0; first < clusters_.n_clusters; first += lone_group) {
            stop_.check();
            std::array<Clusters::Run, lone_group> runs;
            std::size_t n_runs = 0;
            for (std::size_t c = first; c < std::min(first + lone_group, clusters_.n_clusters); ++c) {
                const Clusters::Run left = entrants_.run(c, 0, Entrants::chosen, limit_of(0));
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
            for (std::size_t i = 0; i < found.count; ++i) offer(q, first, hits[i], collect);
        }
        entrants_.set_limit(q, limit_of(q));
    }

    const Rows& rows_;
    const Clusters& clusters_;
    const Kernel& kernel_;
    Stop& stop_;
    const std::size_t n_queries_, n_words_;
    const std::vector<std::uint64_t> words_;
    Entrants entrants_;
    std::size_t n_unlooked_ = 0;  // codes since the last look at whether to stop
};

}  // namespace

RadiusHits clusters_radius(const Rows& rows, const Clusters& clusters, const Codes& queries, const std::int32_t* radii,
                           const Execution& execution, Work& work, HitBudget& budget) {
    const QueryBlocks blocks(queries.count, execution.n_threads, together);
    return radius_by_blocks(blocks, execution, work, budget,
                            [&](std::size_t first, std::size_t count, const auto& collect) {
                                Visitor visitor(rows, clusters, queries, first, count, execution);
                                visitor.visit([&](std::size_t q) { return radii[first + q]; }, collect);
                                return visitor.work;
                            });
}

void clusters_nearest(const Rows& rows, const Clusters& clusters, const Codes& queries, const std::int32_t* radii,
                      const Execution& execution, const NearestOutput& output, Work& work, std::size_t most) {
    for_each_block(
        QueryBlocks(queries.count, execution.n_threads, together_for(output.k, queries, together)), execution, work,
        [&](std::size_t first, std::size_t count, BlockLogs&) {
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
        });
}

}  // namespace hashindex
