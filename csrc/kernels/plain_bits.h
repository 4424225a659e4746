// Bits of a word without instructions for it.

static inline std::uint64_t select(std::uint64_t word, std::uint64_t mask) {
    std::uint64_t bits = 0;
    for (unsigned i = 0; mask; mask &= mask - 1, ++i) bits |= std::uint64_t{(word & mask & (~mask + 1)) != 0} << i;
    return bits;
}
