#include "folds.h"

#include <cstring>
#include <functional>

#include "cells.h"

namespace hashindex {
namespace {

constexpr std::size_t step = 512;            // folds that meet an old limit where codes come ever nearer
constexpr std::size_t share_scanned = 64;    // of the codes one in so many is scanned itself
constexpr std::size_t sifted_at_once = 256;  // codes, which stay in the nearest cache

constexpr std::size_t folded_at_once = std::size_t{1} << 14;  // codes, between two looks whether to stop

// Writes `n_words` words of the fold of a code from byte `place` on, or what there is of them: 1 load and 1 xor for
// each word of the code, 1 store for each of the fold.
template <std::size_t n_words>
void fold_words(const unsigned char* code, std::size_t code_size, std::size_t place, std::size_t fold_size,
                unsigned char* fold) {
    std::uint64_t folded[n_words] = {}, words[n_words];
    std::size_t at = place;
    for (; at + sizeof words <= code_size; at += fold_size) {
        std::memcpy(words, code + at, sizeof words);
        for (std::size_t i = 0; i < n_words; ++i) folded[i] ^= words[i];
    }
    for (; at < code_size; at += fold_size) {
        std::memset(words, 0, sizeof words);
        std::memcpy(words, code + at, code_size - at);
        for (std::size_t i = 0; i < n_words; ++i) folded[i] ^= words[i];
    }
    std::memcpy(fold + place, folded, std::min(sizeof folded, fold_size - place));
}

// Writes the folds of some codes.
void fold_rows(const Codes& codes, std::size_t begin, std::size_t end, std::size_t fold_size, unsigned char* folds) {
    for (std::size_t row = begin; row < end; ++row) {
        const unsigned char* const code = codes.row(row);
        unsigned char* const fold = folds + row * fold_size;
        std::size_t place = 0;
        for (; place + 32 <= fold_size; place += 32) fold_words<4>(code, codes.code_size, place, fold_size, fold);
        for (; place < fold_size; place += 8) fold_words<1>(code, codes.code_size, place, fold_size, fold);
    }
}

std::vector<unsigned char> folds_of(const Codes& queries, std::size_t fold_size) {
    std::vector<unsigned char> folds(queries.count * fold_size);
    fold_rows(queries, 0, queries.count, fold_size, folds.data());
    return folds;
}

// Turns hits of folds into hits of their codes, and drops those that are not below the limits of their queries.
template <class LimitOf>
class Sifter {
public:
    Sifter(const Codes& codes, const std::uint64_t* query_words, const Kernel& kernel, LimitOf limit_of)
        : codes_(codes), query_words_(query_words), kernel_(kernel), limit_of_(limit_of) {}

    std::size_t operator()(std::size_t first_query, Hit* hits, std::size_t count, std::size_t first_row) {
        std::size_t n_left = 0;
        for (std::size_t begin = 0; begin < count; begin += sifted_at_once) {
            const std::size_t n = std::min(sifted_at_once, count - begin);
            for (std::size_t i = 0; i < n; ++i) {
                const Hit hit = hits[begin + i];
                const std::size_t query = first_query + hit_query(hit);
                limits_[query] = limit_of_(query);
                candidates_[i] = {static_cast<std::uint32_t>(query),
                                  static_cast<std::uint32_t>(first_row + hit_row(hit))};
            }
            const std::size_t n_near =
                kernel_.keep_near(codes_.data, codes_.code_size, candidates_, n, query_words_, limits_, distances_)
                    .count;
            for (std::size_t i = 0; i < n_near; ++i) {
                const auto [query, row] = candidates_[i];
                hits[n_left++] = Hit{query - first_query} << query_shift | make_hit(distances_[i], row - first_row);
            }
        }
        n_sifted += count;
        return n_left;
    }

    std::size_t n_sifted = 0;

private:
    const Codes& codes_;
    const std::uint64_t* query_words_;
    const Kernel& kernel_;
    LimitOf limit_of_;
    std::uint64_t limits_[max_block_queries];
    Candidate candidates_[sifted_at_once];
    std::uint32_t distances_[sifted_at_once];
};

// Folds walked over in cells. Borrows all but the folds of the queries.
class Walker {
public:
    Walker(const Rows& rows, const Folds& folds, const Codes& queries, const Execution& execution)
        : bytes_(folds_of(queries, folds.folds.code_size)),
          folded_queries_{bytes_.data(), queries.count, folds.folds.code_size},
          folds_{folds.folds, rows.removed},
          codes_(rows.codes),
          queries_(queries),
          execution_(execution) {}
    Walker(const Walker&) = delete;
    Walker& operator=(const Walker&) = delete;

    Grid grid() const { return {queries_.count, folds_.codes, execution_.n_threads, queries_per_cell}; }

    // Collects the rows from `first` on, of a cell, whose codes are below the limits.
    template <class LimitOf, class Collect>
    Work walk(const Grid& grid, std::size_t number, std::size_t first, LimitOf limit_of, Collect collect) const {
        Cell cell(folds_, folded_queries_, grid, number, execution_);
        cell.keep(std::max(first, cell.begin()), cell.end());
        const auto words = words_of(queries_, cell.first_query(), cell.n_queries(), cell.n_queries());
        Sifter<LimitOf> sifter(codes_, words.data(), execution_.kernel, limit_of);
        const std::uint64_t most = 8 * folds_.codes.code_size + 1;  // no fold is farther
        const auto limit_of_fold = [&](std::size_t q) { return std::min<std::uint64_t>(limit_of(q), most); };
        const char* isa = cell.walk(step, step, limit_of_fold, collect, std::ref(sifter));
        return {0, sifter.n_sifted, isa};
    }

private:
    const std::vector<unsigned char> bytes_;
    const Codes folded_queries_;
    const Rows folds_;
    const Codes &codes_, &queries_;
    const Execution& execution_;
};

}  // namespace

void build_folds(const Codes& codes, std::size_t fold_size, unsigned char* folds, const Execution& execution) {
    const std::size_t n_tasks = (codes.count + folded_at_once - 1) / folded_at_once;
    execution.run(n_tasks, [&](std::size_t task) {
        const std::size_t begin = task * folded_at_once;
        execution.stop.check();
        fold_rows(codes, begin, std::min(begin + folded_at_once, codes.count), fold_size, folds);
    });
}

RadiusHits folds_radius(const Rows& rows, const Folds& folds, const Codes& queries, const std::int32_t* radii,
                        const Execution& execution, Work& work, HitBudget& budget) {
    const Walker walker(rows, folds, queries, execution);
    const Grid grid = walker.grid();
    return radius_by_cells(grid, radii, execution, work, budget, [&](std::size_t number, auto limit_of, auto collect) {
        return walker.walk(grid, number, 0, limit_of, collect);
    });
}

void folds_nearest(const Rows& rows, const Folds& folds, const Codes& queries, const std::int32_t* radii,
                   const Execution& execution, const NearestOutput& output, Work& work) {
    const Walker walker(rows, folds, queries, execution);
    const Grid grid = walker.grid();
    const std::size_t first_step = (output.k + tile_step - 1) / tile_step * tile_step;
    nearest_by_cells(grid, radii, execution, output, work, [&](std::size_t number, auto limit_of, auto collect) {
        Cell first(rows, queries, grid, number, execution);
        const std::size_t n = first.end() - first.begin(), share = std::max(n / share_scanned, output.k);
        const std::size_t middle = std::min((share + plane_step - 1) / plane_step * plane_step, n) + first.begin();
        first.keep(first.begin(), middle);
        Work done{0, first.size(), first.walk(first_step, std::max(first_step, step), limit_of, collect)};
        done += walker.walk(grid, number, middle, limit_of, collect);
        return done;
    });
}

}  // namespace hashindex
