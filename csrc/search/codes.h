// Packed codes in memory, one after the other, as NumPy lays them out. Borrowed, never owned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../kernels/words.h"

namespace hashindex {

struct Codes {
    const unsigned char* data;
    std::size_t count;
    std::size_t code_size;  // bytes

    const unsigned char* row(std::size_t i) const { return data + i * code_size; }
    std::size_t n_words() const { return (code_size + 7) / 8; }
};

// The codes of `count` rows, which are given by their numbers, one after the other.
inline std::vector<unsigned char> gathered(const Codes& codes, const std::size_t* numbers, std::size_t count) {
    std::vector<unsigned char> bytes;
    bytes.reserve(count * codes.code_size);
    for (std::size_t i = 0; i < count; ++i)
        bytes.insert(bytes.end(), codes.row(numbers[i]), codes.row(numbers[i]) + codes.code_size);
    return bytes;
}

// Which rows were removed: a bit per row, in pages of 4 KiB (src/hashindex/engines/removed.py). Null: none was.
// Borrowed.
struct Removed {
    static constexpr std::size_t page_size = 4096, page_rows = 8 * page_size;

    const unsigned char* pages = nullptr;
    const std::uint32_t* table = nullptr;

    bool has(std::size_t row) const {
        if (!pages) return false;
        const unsigned char* page = pages + table[row / page_rows] * page_size;
        return page[row / 8 % page_size] >> (row % 8) & 1;
    }
};

// What a search looks through.
struct Rows {
    Codes codes;
    Removed removed;

    bool has(std::size_t row) const { return !removed.has(row); }
};

// Reads the code at `bytes` as words that lie `stride` words apart.
inline void read_words(const unsigned char* bytes, std::size_t code_size, std::uint64_t* words, std::size_t stride) {
    for (; code_size >= 8; code_size -= 8, bytes += 8, words += stride) *words = load_word(bytes);
    if (code_size) *words = load_last(bytes, code_size);
}

// The words of codes[first, first + count), row after row, then zeros for rows up to `padded`.
inline std::vector<std::uint64_t> words_of(const Codes& codes, std::size_t first, std::size_t count,
                                           std::size_t padded) {
    std::vector<std::uint64_t> words(padded * codes.n_words());
    for (std::size_t i = 0; i < count; ++i)
        read_words(codes.row(first + i), codes.code_size, words.data() + i * codes.n_words(), 1);
    return words;
}

}  // namespace hashindex
