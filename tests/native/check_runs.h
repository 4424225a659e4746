// One query against codes as they lie in memory, in buffers that end where the codes, the query and the hits end: a
// sanitizer sees the first byte too many.
#pragma once

#include "../../csrc/kernels/kernel.h"

#include <memory>

#include "reference.h"

namespace hashindex {

// Codes at every distance from the query, near and far ones mixed.
struct RunCase {
    RunCase(std::size_t size, std::size_t most_codes, std::mt19937_64& random)
        : code_size(size), codes(size * most_codes), query((size + 7) / 8) {
        std::vector<unsigned char> bytes(8 * query.size(), 0);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(random());
        for (std::size_t i = 0; i < bytes.size(); ++i) query[i / 8] |= std::uint64_t{bytes[i]} << 8 * (i % 8);
        for (std::size_t code = 0; code < most_codes; ++code) {
            unsigned char* const to = codes.data() + code * size;
            std::copy_n(bytes.data(), size, to);
            if (code % 9 == 4) continue;
            const std::size_t n_flips = random() % (8 * size + 1);
            for (std::size_t flip = 0; flip < n_flips; ++flip)
                to[random() % size] ^= static_cast<unsigned char>(1u << random() % 8);
            if (code % 9 == 7)
                for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<unsigned char>(~bytes[i]);
        }
        for (std::size_t code = 0; code < most_codes; ++code)
            distances.push_back(slow_distance(bytes.data(), codes.data() + code * size, size));
    }

    std::size_t code_size;
    std::vector<unsigned char> codes;
    std::vector<std::uint64_t> query;
    std::vector<std::uint64_t> distances;
};

inline void check_run(const Kernel& kernel, const RunCase& c, std::size_t first, std::size_t count,
                      std::size_t readable, std::uint64_t limit) {
    const std::string which = std::string(kernel.isa) + " run code_size=" + std::to_string(c.code_size) +
                              " first=" + std::to_string(first) + " count=" + std::to_string(count) +
                              " readable=" + std::to_string(readable) + " limit=" + std::to_string(limit);
    const std::unique_ptr<unsigned char[]> codes(new unsigned char[first + readable * c.code_size]);  // any alignment
    std::copy_n(c.codes.data() + first * c.code_size, readable * c.code_size, codes.get() + first);
    std::vector<Hit> expected;
    for (std::size_t i = 0; i < count; ++i)
        if (c.distances[first + i] < limit) expected.push_back(make_hit(c.distances[first + i], i));
    std::vector<Hit> hits(count);
    const Found found =
        kernel.within_run(codes.get() + first, c.code_size, count, readable, c.query.data(), limit, hits.data());
    CHECK(found.isa == kernel.isa, which);
    hits.resize(found.count);
    CHECK(hits == expected, which);
}

// Every width up to 40 bytes and wider ones on both sides of whole vectors; every count up to 40, so every tail, and
// enough for the widest vectors. Limits: none, equal codes, few, half, all but the farthest, all.
inline std::size_t check_runs(const Kernel& kernel) {
    std::mt19937_64 random(3);
    std::vector<std::size_t> code_sizes{48, 63, 64, 65, 96, 128, 129, 500, 1024, 8192};
    for (std::size_t size = 1; size <= 40; ++size) code_sizes.push_back(size);
    std::size_t n_checks = 0;
    for (const std::size_t code_size : code_sizes) {
        const RunCase c(code_size, 210, random);
        const std::uint64_t max = 8 * code_size;
        for (std::size_t count = 0; count <= 160; count += count < 40 ? 1 : code_size > 200 ? 24 : 3)
            for (const std::uint64_t limit :
                 {std::uint64_t{0}, std::uint64_t{1}, max / 4, max / 2 + 1, max, max + 1, std::uint64_t{1} << 31}) {
                for (const std::size_t more : {0u, 5u, 40u}) {
                    check_run(kernel, c, count % 8, count, count + more, limit);
                    ++n_checks;
                }
            }
    }
    return n_checks;
}

}  // namespace hashindex
