// A radix sort in two passes per table: first by the high bits of the key into partitions that fit the second-level
// cache, then each partition by the low bits. Every pass writes to few places at once, so that memory is streamed.
// Besides the result it takes 2 bytes per row.
#include <algorithm>

#include "tables.h"

namespace hashindex {
namespace {

constexpr std::size_t rows_per_step = 1024;
constexpr unsigned most_low_bits = 12;

class TableBuilder {
public:
    TableBuilder(const Codes& codes, const Tables& layout, std::size_t t, std::uint32_t* offsets, std::uint32_t* rows,
                 std::uint64_t* copies, const Execution& execution)
        : codes_(codes),
          execution_(execution),
          mask_(words_of({layout.masks, layout.n_tables, codes.code_size}, t, 1, 1)),
          low_bits_(std::min(most_low_bits, static_cast<unsigned>(layout.widths[t]))),
          n_partitions_(std::size_t{1} << (static_cast<unsigned>(layout.widths[t]) - low_bits_)),
          n_chunks_(codes.count < 100'000 ? 1 : execution.n_threads),
          offsets_(offsets),
          rows_(rows),
          copies_(copies),
          begins_(n_chunks_ * n_partitions_, 0),
          low_keys_(codes.count) {}

    void build() {
        execution_.run(n_chunks_, [&](std::size_t chunk) {
            std::uint32_t* counts = begins_.data() + chunk * n_partitions_;
            for_each_step(chunk, [&](std::size_t, std::size_t count, const std::uint32_t* keys) {
                for (std::size_t i = 0; i < count; ++i) ++counts[keys[i] >> low_bits_];
            });
        });
        std::vector<std::uint32_t> partitions(n_partitions_ + 1, 0);
        std::uint32_t total = 0;
        for (std::size_t p = 0; p < n_partitions_; ++p) {
            for (std::size_t chunk = 0; chunk < n_chunks_; ++chunk) {
                std::uint32_t& begin = begins_[chunk * n_partitions_ + p];
                const std::uint32_t count = begin;
                begin = total;
                total += count;
            }
            partitions[p + 1] = total;
        }
        execution_.run(n_chunks_, [&](std::size_t chunk) { scatter(chunk); });
        const std::size_t n_tasks = std::min<std::size_t>(n_partitions_, 64 * execution_.n_threads);
        execution_.run(n_tasks, [&](std::size_t task) {
            Spare spare;
            for (std::size_t p = n_partitions_ * task / n_tasks; p < n_partitions_ * (task + 1) / n_tasks; ++p) {
                execution_.stop.check();
                sort_partition(p, partitions[p], partitions[p + 1], spare);
            }
        });
        offsets_[n_partitions_ << low_bits_] = total;
    }

private:
    struct Spare {
        std::vector<std::uint32_t> rows, places;
        std::vector<std::uint64_t> copies;
    };

    // Calls step(first row, number of rows, their keys) over the rows of a chunk.
    template <class Step>
    void for_each_step(std::size_t chunk, Step step) const {
        std::uint32_t keys[rows_per_step];
        const std::size_t end = codes_.count * (chunk + 1) / n_chunks_;
        for (std::size_t first = codes_.count * chunk / n_chunks_; first < end; first += rows_per_step) {
            const std::size_t count = std::min(rows_per_step, end - first);
            execution_.stop.check();
            execution_.kernel.extract(codes_.row(first), codes_.code_size, count, mask_.data(), keys);
            step(first, count, keys);
        }
    }

    void scatter(std::size_t chunk) {
        std::uint32_t* next = begins_.data() + chunk * n_partitions_;
        for_each_step(chunk, [&](std::size_t first, std::size_t count, const std::uint32_t* keys) {
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint32_t place = next[keys[i] >> low_bits_]++;
                low_keys_[place] = static_cast<std::uint16_t>(keys[i] & ((1u << low_bits_) - 1));
                rows_[place] = static_cast<std::uint32_t>(first + i);
                if (copies_) read_words(codes_.row(first + i), codes_.code_size, copies_ + place, 1);
            }
        });
    }

    void sort_partition(std::size_t partition, std::uint32_t begin, std::uint32_t end, Spare& spare) {
        const std::size_t n_keys = std::size_t{1} << low_bits_;
        spare.places.assign(n_keys, 0);
        for (std::uint32_t i = begin; i < end; ++i) ++spare.places[low_keys_[i]];
        std::uint32_t place = begin;
        for (std::size_t key = 0; key < n_keys; ++key) {
            const std::uint32_t count = spare.places[key];
            offsets_[(partition << low_bits_) + key] = spare.places[key] = place;
            place += count;
        }
        spare.rows.assign(rows_ + begin, rows_ + end);
        if (copies_) spare.copies.assign(copies_ + begin, copies_ + end);
        for (std::uint32_t i = begin; i < end; ++i) {
            const std::uint32_t to = spare.places[low_keys_[i]]++;
            rows_[to] = spare.rows[i - begin];
            if (copies_) copies_[to] = spare.copies[i - begin];
        }
    }

    const Codes& codes_;
    const Execution& execution_;
    std::vector<std::uint64_t> mask_;
    const unsigned low_bits_;
    const std::size_t n_partitions_, n_chunks_;
    std::uint32_t *offsets_, *rows_;
    std::uint64_t* copies_;
    std::vector<std::uint32_t> begins_;  // per chunk and partition: how many rows, then where the next one goes
    std::vector<std::uint16_t> low_keys_;
};

}  // namespace

void build_tables(const Codes& codes, const Tables& layout, std::uint32_t* offsets, std::uint32_t* rows,
                  std::uint64_t* copies, const Execution& execution) {
    const std::vector<std::size_t> firsts = layout.first_offsets();
    for (std::size_t t = 0; t < layout.n_tables; ++t)
        TableBuilder(codes, layout, t, offsets + firsts[t], rows + t * codes.count,
                     t < layout.n_copied ? copies + t * codes.count : nullptr, execution)
            .build();
}

}  // namespace hashindex
