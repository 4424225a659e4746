// Codes as 64-bit words: word w holds bytes 8w to 8w + 7, little-endian; bytes behind the code are 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "prefetch.h"

namespace hashindex {

inline std::uint64_t load_word(const unsigned char* bytes) {
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

// The word of the last 1 to 7 bytes, put together in registers: writing them to memory would stall the load behind it.
inline std::uint64_t load_last(const unsigned char* bytes, std::size_t n_bytes) {
    std::uint64_t word = 0;
    unsigned shift = 0;
    if (n_bytes & 4) {
        std::uint32_t part;
        std::memcpy(&part, bytes, sizeof part);
        word = part;
        bytes += sizeof part;
        shift = 32;
    }
    if (n_bytes & 2) {
        std::uint16_t part;
        std::memcpy(&part, bytes, sizeof part);
        word |= std::uint64_t{part} << shift;
        bytes += sizeof part;
        shift += 16;
    }
    if (n_bytes & 1) word |= std::uint64_t{*bytes} << shift;
    return word;
}

}  // namespace hashindex
