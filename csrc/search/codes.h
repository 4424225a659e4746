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

template <class Integer>
std::uint64_t take(const unsigned char*& bytes) {
    Integer value;
    std::memcpy(&value, bytes, sizeof value);
    bytes += sizeof value;
    return value;
}

// Reads the code at `bytes` as 64-bit words `stride` words apart. The bytes left over are put together in registers
// (which bit goes where does not matter to a distance): writing them to memory would stall the load that follows.
inline void read_words(const unsigned char* bytes, std::size_t code_size, std::uint64_t* words, std::size_t stride) {
    for (; code_size >= 8; code_size -= 8, words += stride) *words = take<std::uint64_t>(bytes);
    if (code_size == 0) return;
    std::uint64_t last = 0;
    if (code_size & 4) last = take<std::uint32_t>(bytes);
    if (code_size & 2) last = last << 16 | take<std::uint16_t>(bytes);
    if (code_size & 1) last = last << 8 | take<std::uint8_t>(bytes);
    *words = last;
}

// The words of `codes`, row after row.
inline std::vector<std::uint64_t> all_words(const Codes& codes) {
    std::vector<std::uint64_t> words(codes.count * codes.n_words());
    for (std::size_t i = 0; i < codes.count; ++i)
        read_words(codes.row(i), codes.code_size, words.data() + i * codes.n_words(), 1);
    return words;
}

}  // namespace hashindex
