#include "distinct.h"

#include <algorithm>
#include <vector>

namespace hashindex {
namespace {

constexpr unsigned sample_bits = 13;
constexpr std::size_t room = std::size_t{1} << 16;  // hashes kept, equal ones among them

unsigned bit_length(std::size_t number) {
    unsigned bits = 0;
    for (; number; number >>= 1) ++bits;
    return bits;
}

// An odd number for each word of a code, of whose products the sum is its hash (Fibonacci hashing).
std::vector<std::uint64_t> factors_of(std::size_t n_words) {
    std::vector<std::uint64_t> factors;
    for (std::uint64_t factor = 0x9E3779B97F4A7C15u; factors.size() < n_words; factor = (factor * factor) | 1)
        factors.push_back(factor);
    return factors;
}

std::uint64_t hash_of(const unsigned char* code, std::size_t code_size, const std::uint64_t* factors) {
    std::uint64_t hash = 0;
    for (; code_size >= 8; code_size -= 8, code += 8) hash += load_word(code) * *factors++;
    return code_size ? hash + load_last(code, code_size) * *factors : hash;
}

void drop_equal(std::vector<std::uint64_t>& hashes) {
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

}  // namespace

std::size_t estimate_distinct(const Codes& codes) {
    const unsigned bits = bit_length(codes.count), shift = bits > sample_bits ? bits - sample_bits : 0;
    const std::uint64_t end = shift ? std::uint64_t{1} << (64 - shift) : 0;  // of the hashes sampled; 0: all are
    const std::vector<std::uint64_t> factors = factors_of(codes.n_words());
    std::vector<std::uint64_t> hashes;
    std::size_t most = room;
    for (std::size_t i = 0; i < codes.count; ++i) {
        const std::uint64_t hash = hash_of(codes.row(i), codes.code_size, factors.data());
        if (end && hash >= end) continue;
        hashes.push_back(hash);
        if (hashes.size() < most) continue;
        drop_equal(hashes);
        most = std::max(room, 2 * hashes.size());
    }
    drop_equal(hashes);
    return shift ? std::min(codes.count, std::max<std::size_t>(1, hashes.size() << shift)) : hashes.size();
}

}  // namespace hashindex
