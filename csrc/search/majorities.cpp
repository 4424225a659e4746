#include "majorities.h"

#include <algorithm>
#include <array>
#include <vector>

#include "members.h"

namespace hashindex {
namespace {

constexpr std::size_t most_added = 255;  // bits as bytes, whose sum is one

// The bits of a byte, the lowest first, each in a byte of its own.
std::array<std::uint64_t, 256> spread_bytes() {
    std::array<std::uint64_t, 256> spread{};
    for (std::size_t byte = 0; byte < 256; ++byte)
        for (std::size_t bit = 0; bit < 8; ++bit) spread[byte] |= std::uint64_t{byte >> bit & 1} << 8 * bit;
    return spread;
}

}  // namespace

// Per code and byte: 2 loads, 1 add, 1 store.
void majorities(const Codes& codes, const std::int64_t* of, std::size_t n_clusters, unsigned char* centroids) {
    const Members members(of, codes.count, n_clusters);
    const std::array<std::uint64_t, 256> spread = spread_bytes();
    std::vector<std::uint64_t> added(codes.code_size);
    std::vector<std::uint32_t> ones(8 * codes.code_size);
    for (std::size_t c = 0; c < n_clusters; ++c) {
        if (!members.has_any(c)) continue;
        const std::size_t begin = members.begins[c], end = members.begins[c + 1];
        std::fill(ones.begin(), ones.end(), 0);
        for (std::size_t first = begin; first < end; first += most_added) {
            std::fill(added.begin(), added.end(), 0);
            for (std::size_t m = first; m < std::min(first + most_added, end); ++m) {
                const unsigned char* code = codes.row(members.rows[m]);
                for (std::size_t byte = 0; byte < codes.code_size; ++byte) added[byte] += spread[code[byte]];
            }
            for (std::size_t i = 0; i < ones.size(); ++i)
                ones[i] += static_cast<unsigned char>(added[i / 8] >> 8 * (i % 8));
        }
        unsigned char* centroid = centroids + c * codes.code_size;
        std::fill_n(centroid, codes.code_size, static_cast<unsigned char>(0));
        for (std::size_t i = 0; i < ones.size(); ++i)
            if (2 * std::size_t{ones[i]} > end - begin) centroid[i / 8] |= static_cast<unsigned char>(1u << i % 8);
    }
}

}  // namespace hashindex
