// Packed codes in memory, one after the other, as NumPy lays them out. Borrowed, never owned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hashindex {

struct Codes {
    const unsigned char* data;
    std::size_t count;
    std::size_t code_size;  // bytes

    const unsigned char* row(std::size_t i) const { return data + i * code_size; }
    std::size_t n_words() const { return (code_size + 7) / 8; }
};

// Reads the code at `bytes` as 64-bit words `stride` words apart; the last word is filled up with zeros.
inline void read_words(const unsigned char* bytes, std::size_t code_size, std::uint64_t* words, std::size_t stride) {
    for (; code_size >= 8; code_size -= 8, bytes += 8, words += stride) std::memcpy(words, bytes, 8);
    if (code_size) {
        *words = 0;
        std::memcpy(words, bytes, code_size);
    }
}

// The words of `codes`, row after row.
inline std::vector<std::uint64_t> all_words(const Codes& codes) {
    std::vector<std::uint64_t> words(codes.count * codes.n_words());
    for (std::size_t i = 0; i < codes.count; ++i)
        read_words(codes.row(i), codes.code_size, words.data() + i * codes.n_words(), 1);
    return words;
}

}  // namespace hashindex
