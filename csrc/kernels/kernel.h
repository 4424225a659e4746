// The kernel contract: raw pointers in, hits out. One implementation per ISA, chosen once per batch by dispatch.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hashindex {

// A found code as one integer whose order is the total order of the library: distance first, then row.
// Distances need 17 bits (n_bits <= 65,536); rows get 40.
using Hit = std::uint64_t;
constexpr unsigned row_bits = 40;

constexpr Hit make_hit(std::uint64_t distance, std::uint64_t row) { return distance << row_bits | row; }
constexpr std::uint32_t hit_distance(Hit hit) { return static_cast<std::uint32_t>(hit >> row_bits); }
constexpr std::uint64_t hit_row(Hit hit) { return hit & ((Hit{1} << row_bits) - 1); }

// Codes per pass of a kernel's loop: four vectors of the widest ISA. Tiles are padded to a multiple of it.
constexpr std::size_t tile_step = 32;

// Codes stored word-major, 64 bits a word: word w of code i lies 8 * (w * stride + i) bytes behind `words`.
// `words` may be unaligned. `stride` is a multiple of tile_step; the padding behind n_codes is readable.
struct Tile {
    const unsigned char* words;
    std::size_t stride;
    std::size_t n_words;
    std::size_t n_codes;

    // Codes [first, first + count) or up to the last; first is a multiple of tile_step.
    Tile part(std::size_t first, std::size_t count) const {
        return {words + 8 * first, stride, n_words, n_codes - first < count ? n_codes - first : count};
    }
};

// What a kernel found, and which kernel it was: told by the code that ran.
struct Found {
    std::size_t count;
    const char* isa;
};

// Writes a hit (row = position in the tile, ascending) for every code within `radius` of `query` (n_words words).
// `hits` has room for tile.n_codes. Distances are exact for radius < 2**31.
using WithinFunction = Found (*)(const Tile& tile, const std::uint64_t* query, std::uint32_t radius, Hit* hits);

struct Kernel {
    const char* isa;
    WithinFunction within;
};

extern const Kernel scalar_kernel;
#if defined(__x86_64__)
extern const Kernel popcnt_kernel;
extern const Kernel avx2_kernel;
extern const Kernel avx512_kernel;
#elif defined(__aarch64__)
extern const Kernel neon_kernel;
#endif

}  // namespace hashindex
