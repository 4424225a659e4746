// Turns runs of codes into the tiles that the kernels read.
#pragma once

#include <algorithm>

#include "../kernels/kernel.h"
#include "../support/aligned_buffer.h"
#include "codes.h"

namespace hashindex {

class TileBuffer {
public:
    TileBuffer(const Codes& codes, std::size_t n_queries, const Kernel& kernel)
        : codes_(codes),
          kernel_(kernel),
          capacity_(capacity_for(codes, n_queries)),
          words_(codes.code_size == 8 ? tile_step : capacity_ * codes.n_words()) {
        std::fill_n(words_.data(), codes.code_size == 8 ? tile_step : capacity_ * codes.n_words(), std::uint64_t{0});
    }

    std::size_t capacity() const { return capacity_; }

    // Codes [first, first + count), count <= capacity. One-word codes are used where they lie; a last group that is
    // not full is a tile of its own, which may hold fewer codes than asked for.
    Tile run(std::size_t first, std::size_t count) {
        const std::size_t n_words = codes_.n_words(), group_size = tile_step * codes_.code_size;
        const unsigned char* code = codes_.row(first);
        if (codes_.code_size == 8 && count >= tile_step) return {code, 1, count / tile_step * tile_step};
        for (std::size_t i = 0; i < count; i += tile_step, code += group_size) {
            prefetch(code + prefetch_distance, group_size);
            kernel_.transpose(code, codes_.code_size, std::min(tile_step, count - i), words_.data() + i * n_words);
        }
        return {reinterpret_cast<const unsigned char*>(words_.data()), n_words, count};
    }

private:
    // Half of a 64 KB L1 at most, so that the tile stays there while queries pass over it. Few queries read the codes
    // where they lie about once: larger tiles interrupt them less.
    static std::size_t capacity_for(const Codes& codes, std::size_t n_queries) {
        if (codes.code_size == 8)
            return std::max<std::size_t>(2048, (std::size_t{1} << 17) / n_queries / tile_step * tile_step);
        const std::size_t fitting = (std::size_t{32} << 10) / (8 * codes.n_words());
        return std::max(tile_step, std::min<std::size_t>(fitting, 2048) / tile_step * tile_step);
    }

    const Codes codes_;
    const Kernel& kernel_;
    const std::size_t capacity_;
    AlignedBuffer<std::uint64_t> words_;
};

}  // namespace hashindex
