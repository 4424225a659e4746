// The one loop of the library, written once and included by every ISA file inside its namespace and target region.
// It needs, in scope: isa, Vector, lanes, zero, broadcast, load, store, add, popcount_xor, any_within, which_within.
//
// Four vectors of codes against one query; the tile stays in L1 while the caller walks over queries. Per 4 * lanes
// codes and word: 4 loads (folded into the xor where the ISA can), 4 xor, 4 popcounts, 4 adds; then 3 minima and
// one compare-and-branch. With AVX-512 that is 3 n_words + 0.5 operations per 8 codes.
// Bound: a distance is at most 65,536, so 32-bit minima of the 64-bit lanes are exact.

static inline __attribute__((always_inline)) std::size_t within_words(
    const Tile& tile, const std::uint64_t* query, std::uint32_t radius, Hit* hits, std::size_t n_words) {
    const Vector limit = broadcast(radius);
    Hit* end = hits;
    for (std::size_t first = 0; first < tile.n_codes; first += 4 * lanes) {
        Vector d0 = zero(), d1 = zero(), d2 = zero(), d3 = zero();
        const unsigned char* words = tile.words + 8 * first;
        for (std::size_t w = 0; w < n_words; ++w, words += 8 * tile.stride) {
            const Vector q = broadcast(query[w]);
            d0 = add(d0, popcount_xor(load(words), q));
            d1 = add(d1, popcount_xor(load(words + 8 * lanes), q));
            d2 = add(d2, popcount_xor(load(words + 16 * lanes), q));
            d3 = add(d3, popcount_xor(load(words + 24 * lanes), q));
        }
        if (__builtin_expect(!any_within(d0, d1, d2, d3, limit), 1)) continue;

        std::uint64_t distances[4 * lanes];
        store(distances, d0);
        store(distances + lanes, d1);
        store(distances + 2 * lanes, d2);
        store(distances + 3 * lanes, d3);
        std::uint64_t which = which_within(d0, limit) | which_within(d1, limit) << lanes |
                              which_within(d2, limit) << 2 * lanes | which_within(d3, limit) << 3 * lanes;
        const std::size_t left = tile.n_codes - first;
        if (left < 4 * lanes) which &= (std::uint64_t{1} << left) - 1;
        for (; which; which &= which - 1) {
            const auto i = static_cast<std::size_t>(__builtin_ctzll(which));
            *end++ = make_hit(distances[i], first + i);
        }
    }
    return static_cast<std::size_t>(end - hits);
}

static Found within(const Tile& tile, const std::uint64_t* query, std::uint32_t radius, Hit* hits) {
    switch (tile.n_words) {  // the compiler unrolls the word loop where the count is a constant
        case 1: return {within_words(tile, query, radius, hits, 1), isa};
        case 2: return {within_words(tile, query, radius, hits, 2), isa};
        case 4: return {within_words(tile, query, radius, hits, 4), isa};
        default: return {within_words(tile, query, radius, hits, tile.n_words), isa};
    }
}
