#include "prober.h"

#include <algorithm>

namespace hashindex {
namespace {

constexpr std::size_t most_lines = 8;       // a longer run is left to the hardware's prefetcher
constexpr std::size_t most_asked = 1024;    // lookups, and codes, that stay in the nearest caches
constexpr std::size_t near_rows = 1 << 18;  // of all tables, that are in a near cache anyway

inline __attribute__((always_inline)) void prefetch_begin(const void* from, std::size_t n_bytes) {
    prefetch(from, std::min(n_bytes, most_lines * line_size));
}

std::vector<std::uint32_t> numbers_with(std::int32_t width, std::int32_t flips) {
    std::vector<std::uint32_t> numbers;
    const std::uint64_t end = std::uint64_t{1} << width;
    for (std::uint64_t number = (std::uint64_t{1} << flips) - 1; number < end;) {
        numbers.push_back(static_cast<std::uint32_t>(number));
        if (number == 0) break;
        // The next number with as many ones (Gosper's hack; Warren, Hacker's Delight, section 2-1).
        const std::uint64_t lowest = number & (~number + 1), ripple = number + lowest;
        number = ripple | (((number ^ ripple) >> 2) / lowest);
    }
    return numbers;
}

}  // namespace

Prober::Prober(const Rows& rows, const Tables& tables, const Codes& queries, std::size_t first, std::size_t count,
               const Execution& execution)
    : limits(count),
      rows_(rows),
      tables_(tables),
      kernel_(execution.kernel),
      stop_(execution.stop),
      first_offsets_(tables.first_offsets()),
      n_queries_(count),
      words_(words_of(queries, first, count, count)),
      masks_(words_of({tables.masks, tables.n_tables, queries.code_size}, 0, tables.n_tables, tables.n_tables)),
      keys_(tables.n_tables * count) {
    for (std::size_t t = 0; t < tables.n_tables; ++t)
        kernel_.extract(queries.row(first), queries.code_size, count, masks_.data() + t * queries.n_words(),
                        keys_.data() + t * count);
}

const std::vector<std::uint32_t>& Prober::flipped(std::int32_t width, std::int32_t flips) {
    Flipped& known = flipped_[std::min<std::size_t>(static_cast<std::size_t>(flips), flipped_.size() - 1)];
    if (known.width != width || known.flips != flips) known = {width, flips, numbers_with(width, flips)};
    return known.numbers;
}

void Prober::ask(const std::int32_t* thresholds) {
    const std::size_t n_rows = rows_.codes.count;
    std::size_t n_lookups = 0, n_codes = 0;
    for (std::size_t t = 0; t < tables_.n_tables; ++t)
        for (std::int32_t flips = 0; flips <= thresholds[t]; ++flips) {
            if (flips + 1 >= static_cast<std::int32_t>(flipped_.size())) return;
            n_lookups += n_queries_ * flipped(tables_.widths[t], flips).size();
        }
    if (n_lookups > most_asked || n_rows * tables_.n_tables < near_rows) return;
    const auto for_each_key = [&](auto look) {
        for (std::size_t t = 0; t < tables_.n_tables; ++t)
            for (std::int32_t flips = 0; flips <= thresholds[t]; ++flips)
                for (const std::uint32_t mask : flipped(tables_.widths[t], flips))
                    for (std::size_t q = 0; q < n_queries_; ++q) look(t, keys_[t * n_queries_ + q] ^ mask);
    };
    // As read_offsets() reads them, which keeps its own loop: called for each bucket there, it takes half as long
    // again.
    const auto bucket_of = [&](std::size_t t, std::uint32_t key) {
        const std::uint32_t* offsets = tables_.offsets + first_offsets_[t] + key;
        return Bucket{offsets[0], std::min(offsets[1], static_cast<std::uint32_t>(n_rows)), 0};
    };
    for_each_key(
        [&](std::size_t t, std::uint32_t key) { __builtin_prefetch(tables_.offsets + first_offsets_[t] + key); });
    for_each_key([&](std::size_t t, std::uint32_t key) {
        const Bucket bucket = bucket_of(t, key);
        if (bucket.begin >= bucket.end) return;
        const std::size_t size = bucket.end - bucket.begin, first = t * n_rows + bucket.begin;
        if (t < tables_.n_copied) {
            prefetch_begin(tables_.copies + first, sizeof *tables_.copies * size);
        } else {
            prefetch_begin(tables_.rows + first, sizeof *tables_.rows * size);
            n_codes += size;
        }
    });
    if (n_codes == 0 || n_codes > most_asked) return;
    for_each_key([&](std::size_t t, std::uint32_t key) {
        const Bucket bucket = bucket_of(t, key);
        for (std::uint32_t place = bucket.begin; t >= tables_.n_copied && place < bucket.end; ++place) {
            const std::uint32_t row =
                std::min(tables_.rows[t * n_rows + place], static_cast<std::uint32_t>(n_rows - 1));
            prefetch_begin(rows_.codes.row(row), rows_.codes.code_size);
        }
    });
}

std::size_t Prober::read_offsets(std::size_t t, std::size_t n_lookups) {
    const std::uint32_t* offsets = tables_.offsets + first_offsets_[t];
    const bool is_copied = t < tables_.n_copied;
    const std::size_t item_size = is_copied ? sizeof *tables_.copies : sizeof *tables_.rows;
    const auto* items = is_copied ? reinterpret_cast<const unsigned char*>(tables_.copies)
                                  : reinterpret_cast<const unsigned char*>(tables_.rows);
    items += t * rows_.codes.count * item_size;
    const auto n_rows = static_cast<std::uint32_t>(rows_.codes.count);
    std::size_t n_buckets = 0;
    for (std::size_t i = 0; i < n_lookups; ++i) {
        const std::size_t number = buckets_[i].begin;
        const std::uint32_t end = std::min(offsets[number + 1], n_rows), begin = std::min(offsets[number], end);
        const std::size_t size = end - begin, n_bytes = item_size * size;
        // Whether a bucket is empty is anyone's guess: no branch asks.
        const unsigned char* const first = items + item_size * begin;
        __builtin_prefetch(first);
        __builtin_prefetch(first + n_bytes - (n_bytes > 0));
        if (__builtin_expect(n_bytes > 2 * line_size, 0)) prefetch_begin(first, n_bytes);
        work.candidates += size;
        // Field by field: GCC builds a whole one in memory and waits for its halves to be stored.
        buckets_[n_buckets].begin = begin;
        buckets_[n_buckets].end = end;
        buckets_[n_buckets].query = buckets_[i].query;
        n_buckets += size > 0;
    }
    return n_buckets;
}

std::size_t Prober::verify(std::size_t t, const Bucket* buckets, std::size_t n_buckets, const std::int32_t* shown) {
    const std::uint32_t* rows = tables_.rows + t * rows_.codes.count;
    const unsigned char* codes = rows_.codes.data;
    const std::size_t code_size = rows_.codes.code_size;
    const auto last_row = static_cast<std::uint32_t>(rows_.codes.count - 1);
    std::size_t count = 0, n_near = 0;
    for (std::size_t b = 0; b < n_buckets; ++b) {
        for (std::uint32_t place = buckets[b].begin; place < buckets[b].end; ++place) {
            const std::uint32_t row = std::min(rows[place], last_row);
            candidates_[count++] = {buckets[b].query, row};
        }
    }
    const Found near =
        kernel_.keep_near(codes, code_size, candidates_, count, words_.data(), limits.data(), distances_);
    work.isa = near.isa;
    for (std::size_t i = 0; i < near.count; ++i) {
        if (!rows_.has(candidates_[i].place)) continue;
        candidates_[n_near] = candidates_[i];
        distances_[n_near++] = distances_[i];
    }
    const Found fresh = kernel_.drop_seen(codes, code_size, candidates_, distances_, n_near, words_.data(),
                                          masks_.data(), shown, tables_.n_tables, t);
    return fresh.count;
}

std::size_t Prober::verify_copies(std::size_t t, const Bucket* buckets, std::size_t n_buckets,
                                  const std::int32_t* shown) {
    const std::uint32_t* rows = tables_.rows + t * rows_.codes.count;
    const std::uint64_t* copies = tables_.copies + t * rows_.codes.count;
    const auto last_row = static_cast<std::uint32_t>(rows_.codes.count - 1);
    const Found near =
        kernel_.filter(buckets, n_buckets, copies, words_.data(), limits.data(), candidates_, distances_);
    work.isa = near.isa;
    if (near.count == 0) return 0;
    const Found fresh =
        kernel_.drop_seen(reinterpret_cast<const unsigned char*>(copies), sizeof *copies, candidates_, distances_,
                          near.count, words_.data(), masks_.data(), shown, tables_.n_tables, t);
    const std::size_t n_new = fresh.count;
    for (std::size_t i = 0; i < n_new; ++i) __builtin_prefetch(rows + candidates_[i].place);
    std::size_t n_here = 0;
    for (std::size_t i = 0; i < n_new; ++i) {
        const std::uint32_t row = std::min(rows[candidates_[i].place], last_row);
        if (!rows_.has(row)) continue;
        candidates_[n_here] = {candidates_[i].query, row};
        distances_[n_here++] = distances_[i];
    }
    return n_here;
}

}  // namespace hashindex
