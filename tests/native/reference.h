// What the native tests share: a check that cannot be compiled away, and the slow, obvious truth.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "../../csrc/search/codes.h"
#include "../../csrc/search/results.h"

// Ends the program with status 1 when `holds` is false; `context` (a string) says for which case.
#define CHECK(holds, context)                                                            \
    do {                                                                                 \
        if (!(holds)) {                                                                  \
            std::fprintf(stderr, "%s:%d: failed: %s [%s]\n", __FILE__, __LINE__, #holds, \
                         std::string(context).c_str());                                  \
            std::_Exit(1);                                                               \
        }                                                                                \
    } while (false)

namespace hashindex {

// Hamming distance of `size` bytes, one differing bit after the other.
inline std::uint64_t slow_distance(const unsigned char* a, const unsigned char* b, std::size_t size) {
    std::uint64_t distance = 0;
    for (std::size_t i = 0; i < size; ++i)
        for (unsigned differing = a[i] ^ b[i]; differing; differing &= differing - 1) ++distance;
    return distance;
}

// Codes and queries with all distances between them. Half the codes lie near one of three centres, so that there are
// duplicates, near neighbours and ties; the rest are uniform. `spread` = 0 makes the first half three distinct codes.
// Where there is an odd number of codes, every fifth or so was removed.
class Reference {
public:
    Reference(std::size_t n_codes, std::size_t n_queries, std::size_t code_size, unsigned spread)
        : code_size_(code_size), n_codes_(n_codes), n_queries_(n_queries), removes_(n_codes % 2 == 1) {
        std::mt19937 random(static_cast<unsigned>(n_codes + 31 * code_size + spread));
        const auto draw = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
        std::vector<unsigned char> centres(3 * code_size);
        for (unsigned char& byte : centres) byte = static_cast<unsigned char>(draw(256));
        const auto fill = [&](std::vector<unsigned char>& bytes, std::size_t n) {
            bytes.resize(n * code_size);
            for (std::size_t i = 0; i < n; ++i) {
                unsigned char* code = bytes.data() + i * code_size;
                std::copy_n(centres.data() + draw(3) * code_size, code_size, code);
                for (std::size_t flips = draw(spread + 1); flips > 0; --flips)
                    code[draw(code_size)] ^= static_cast<unsigned char>(1u << draw(8));
                if (draw(2))
                    for (std::size_t b = 0; b < code_size; ++b) code[b] = static_cast<unsigned char>(draw(256));
            }
        };
        fill(codes_, n_codes);
        fill(queries_, n_queries);
        pages_.resize(n_codes / Removed::page_rows + 1);
        for (std::size_t i = 0; i < pages_.size(); ++i) pages_[i] = static_cast<std::uint32_t>(i);
        removed_.resize(pages_.size() * Removed::page_size, 0);
        for (std::size_t i = 0; removes_ && i < n_codes; ++i)
            if (draw(5) == 0) removed_[i / 8] |= static_cast<unsigned char>(1u << i % 8);
        for (std::size_t q = 0; q < n_queries; ++q) {
            std::vector<Hit>& sorted = sorted_.emplace_back();
            for (std::size_t i = 0; i < n_codes; ++i)
                if (!(removed_[i / 8] >> i % 8 & 1))
                    sorted.push_back(make_hit(slow_distance(queries().row(q), codes().row(i), code_size), i));
            std::sort(sorted.begin(), sorted.end());
        }
    }

    Codes codes() const { return {codes_.data(), n_codes_, code_size_}; }
    Codes queries() const { return {queries_.data(), n_queries_, code_size_}; }
    Removed removed() const { return removes_ ? Removed{removed_.data(), pages_.data()} : Removed{}; }
    std::uint32_t n_bits() const { return static_cast<std::uint32_t>(8 * code_size_); }

    std::vector<std::vector<Hit>> within(std::uint32_t radius) const {
        std::vector<std::vector<Hit>> found;
        for (const std::vector<Hit>& sorted : sorted_)
            found.emplace_back(sorted.begin(), std::lower_bound(sorted.begin(), sorted.end(), make_hit(radius + 1, 0)));
        return found;
    }

    // A prefix of within(radius), in the form of the arrays that a k-NN search fills.
    struct Nearest {
        std::vector<std::int32_t> distances;
        std::vector<std::int64_t> rows;
        bool operator==(const Nearest& other) const { return distances == other.distances && rows == other.rows; }
    };

    Nearest nearest(std::size_t k, std::uint32_t radius) const {
        Nearest result{std::vector<std::int32_t>(n_queries_ * k, 2147483647),
                       std::vector<std::int64_t>(n_queries_ * k, -1)};
        const std::vector<std::vector<Hit>> all = within(radius);
        for (std::size_t q = 0; q < n_queries_; ++q)
            for (std::size_t i = 0; i < std::min(k, all[q].size()); ++i) {
                result.distances[q * k + i] = static_cast<std::int32_t>(hit_distance(all[q][i]));
                result.rows[q * k + i] = static_cast<std::int64_t>(hit_row(all[q][i]));
            }
        return result;
    }

private:
    const std::size_t code_size_, n_codes_, n_queries_;
    const bool removes_;
    std::vector<unsigned char> codes_, queries_, removed_;
    std::vector<std::uint32_t> pages_;
    std::vector<std::vector<Hit>> sorted_;  // all codes for each query
};

}  // namespace hashindex
