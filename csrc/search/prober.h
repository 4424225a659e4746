// One query's walk over the buckets of the tables: enumerate keys, gather rows, verify, drop what was seen before.
#pragma once

#include "multi_index.h"
#include "tile_buffer.h"

namespace hashindex {

class Prober {
public:
    Prober(const Codes& codes, const Tables& tables, const Kernel& kernel);

    // Begins a query: its code, and the same as words.
    void start(const unsigned char* query, const std::uint64_t* query_words);

    // Looks into the buckets of table t whose key differs from the query's in exactly `flips` bits. Calls
    // collect(hit) once for every code within radius() that no table has shown before, where table u has shown
    // every code whose key is within shown[u] flips. radius() is read again before every batch.
    template <class Radius, class Collect>
    void shell(std::size_t t, int flips, const std::int32_t* shown, Radius radius, Collect collect);

    // Keys that differ from a key of `width` bits in exactly `flips`: binomial(width, flips).
    static std::uint64_t shell_size(std::int32_t width, int flips);

    const char* isa() const { return isa_; }

private:
    template <class Radius, class Collect>
    void verify(std::size_t t, std::size_t count, const std::int32_t* shown, Radius radius, Collect collect);

    bool seen_elsewhere(std::size_t t, std::size_t row, const std::int32_t* shown) const;

    const Codes& codes_;
    const Tables& tables_;
    const Kernel& kernel_;
    TileBuffer buffer_;
    std::vector<std::uint32_t> candidates_;
    std::vector<Hit> hits_;
    std::vector<std::uint32_t> keys_;          // the query's, per table
    std::vector<std::size_t> first_offsets_;   // where each table's offsets begin
    const std::uint64_t* query_words_ = nullptr;
    const char* isa_ = nullptr;
};

template <class Radius, class Collect>
void Prober::shell(std::size_t t, int flips, const std::int32_t* shown, Radius radius, Collect collect) {
    const int width = tables_.widths[t];
    const std::uint32_t* offsets = tables_.offsets + first_offsets_[t];
    const std::uint32_t* rows = tables_.rows + t * codes_.count;
    std::size_t count = 0;
    const std::uint64_t end = std::uint64_t{1} << width;
    for (std::uint64_t mask = (std::uint64_t{1} << flips) - 1; mask < end;) {
        const std::uint32_t key = keys_[t] ^ static_cast<std::uint32_t>(mask);
        for (std::uint32_t place = offsets[key]; place < offsets[key + 1]; ++place) {
            candidates_[count++] = rows[place];
            if (count == candidates_.size()) {
                verify(t, count, shown, radius, collect);
                count = 0;
            }
        }
        if (mask == 0) break;
        // The next number with as many ones (Gosper's hack; Warren, Hacker's Delight, section 2-1).
        const std::uint64_t lowest = mask & (~mask + 1), ripple = mask + lowest;
        mask = ripple | (((mask ^ ripple) >> 2) / lowest);
    }
    if (count) verify(t, count, shown, radius, collect);
}

template <class Radius, class Collect>
void Prober::verify(std::size_t t, std::size_t count, const std::int32_t* shown, Radius radius, Collect collect) {
    const Tile tile = buffer_.list(candidates_.data(), count);
    const Found found = kernel_.within(tile, query_words_, radius(), hits_.data());
    isa_ = found.isa;
    for (std::size_t i = 0; i < found.count; ++i) {
        const std::uint32_t row = candidates_[hit_row(hits_[i])];
        if (!seen_elsewhere(t, row, shown)) collect(make_hit(hit_distance(hits_[i]), row));
    }
}

}  // namespace hashindex
