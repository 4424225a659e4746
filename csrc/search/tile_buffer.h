// Turns runs and lists of codes into the word-major tiles the kernels read.
#pragma once

#include <algorithm>

#include "../kernels/kernel.h"
#include "../support/aligned_buffer.h"
#include "codes.h"

namespace hashindex {

class TileBuffer {
public:
    // Half of a 64 KB L1 at most, so that the tile stays there while queries pass over it.
    static std::size_t capacity_for(std::size_t n_words) {
        const std::size_t codes = (std::size_t{32} << 10) / (8 * n_words);
        return std::max(tile_step, std::min<std::size_t>(codes, 2048) / tile_step * tile_step);
    }

    explicit TileBuffer(const Codes& codes)
        : codes_(codes), capacity_(capacity_for(codes.n_words())), words_(capacity_ * codes.n_words()) {
        std::fill_n(words_.data(), capacity_ * codes.n_words(), std::uint64_t{0});
    }

    std::size_t capacity() const { return capacity_; }

    // Codes [first, first + count), count <= capacity. Full runs of one-word codes are used where they lie.
    Tile run(std::size_t first, std::size_t count) {
        if (codes_.code_size == 8 && count % tile_step == 0) return {codes_.row(first), count, 1, count};
        for (std::size_t i = 0; i < count; ++i) put(i, first + i);
        return tile(count);
    }

    // The codes of the listed rows, count <= capacity.
    Tile list(const std::uint32_t* rows, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) put(i, rows[i]);
        return tile(count);
    }

private:
    void put(std::size_t i, std::size_t row) {
        read_words(codes_.row(row), codes_.code_size, words_.data() + i, capacity_);
    }
    Tile tile(std::size_t count) {
        return {reinterpret_cast<const unsigned char*>(words_.data()), capacity_, codes_.n_words(), count};
    }

    const Codes codes_;
    const std::size_t capacity_;
    AlignedBuffer<std::uint64_t> words_;
};

}  // namespace hashindex
