// The loop of every scan, written once and included by every ISA file inside its namespace and target region.
// It needs, in scope: isa, Vector, lanes, at_once, broadcast, load, store, add, popcount_xor, any_below, write_hits.
//
// Four vectors of codes against `at_once` queries: their 4 * at_once sums stay in registers while the words pass. Per
// query, 4 * lanes codes and word: 4 xor, 4 popcounts, 4 adds; then 3 minima and one compare-and-branch. Loads: 4 per
// word for all queries of the pass, 1 broadcast per query. With AVX-512 that is 3 n_words + 0.5 operations per 8 codes.
// Bound: a distance is at most 65,536, so 32-bit minima of the 64-bit lanes are exact.

// One word of 4 * lanes codes against the same word of at_once queries, `n_words` words apart: sets or raises the sums.
static inline __attribute__((always_inline)) void add_word(Vector* d, const unsigned char* codes,
                                                           const std::uint64_t* words, const std::size_t n_words,
                                                           const bool is_first) {
    const Vector c0 = load(codes), c1 = load(codes + 8 * lanes), c2 = load(codes + 16 * lanes),
                 c3 = load(codes + 24 * lanes);
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < at_once; ++i, d += 4, words += n_words) {
        const Vector word = broadcast(*words);
        const Vector p0 = popcount_xor(c0, word), p1 = popcount_xor(c1, word), p2 = popcount_xor(c2, word),
                     p3 = popcount_xor(c3, word);
        d[0] = is_first ? p0 : add(d[0], p0);
        d[1] = is_first ? p1 : add(d[1], p1);
        d[2] = is_first ? p2 : add(d[2], p2);
        d[3] = is_first ? p3 : add(d[3], p3);
    }
}

// The distances of 4 * lanes codes to at_once queries: d[4 * i + j] has those of vector j to query i.
static inline __attribute__((always_inline)) void sum_words(Vector* d, const unsigned char* codes,
                                                            const std::uint64_t* words, const std::size_t n_words,
                                                            const bool unrolled) {
    if (unrolled) {
        add_word(d, codes, words, n_words, true);
        HASHINDEX_UNROLL
        for (std::size_t w = 1; w < n_words; ++w) add_word(d, codes + 8 * tile_step * w, words + w, n_words, false);
    } else {  // a first pass outside the loop costs more than adding to zero
        HASHINDEX_UNROLL
        for (std::size_t i = 0; i < 4 * at_once; ++i) d[i] = broadcast(0);
        for (std::size_t w = 0; w < n_words; ++w) add_word(d, codes + 8 * tile_step * w, words + w, n_words, false);
    }
}

static inline __attribute__((always_inline)) std::size_t within_words(const Tile& tile, const QueryBlock& queries,
                                                                      Hit* hits, const std::size_t n_words,
                                                                      const bool unrolled) {
    Hit* end = hits;
    for (std::size_t first = 0; first < tile.n_codes; first += 4 * lanes) {
        const std::size_t group = first / tile_step * tile_step;
        const unsigned char* codes = tile.words + 8 * (group * n_words + (first - group));
        const std::uint64_t* words = queries.words;
        for (std::size_t q = 0; q < queries.n_queries; q += at_once, words += at_once * n_words) {
            Vector d[4 * at_once];
            sum_words(d, codes, words, n_words, unrolled);
            HASHINDEX_UNROLL
            for (std::size_t i = 0; i < at_once; ++i) {
                const Vector limit = broadcast(queries.limits[q + i]);
                if (__builtin_expect(any_below(d[4 * i], d[4 * i + 1], d[4 * i + 2], d[4 * i + 3], limit), 0))
                    end = write_hits(end, d[4 * i], d[4 * i + 1], d[4 * i + 2], d[4 * i + 3], limit, q + i, first,
                                     tile.n_codes);
            }
        }
    }
    return static_cast<std::size_t>(end - hits);
}

static Found within(const Tile& tile, const QueryBlock& queries, Hit* hits) {
    switch (tile.n_words) {  // a constant makes the word loop's addresses cheap
        case 1: return {within_words(tile, queries, hits, 1, true), isa};
        case 2: return {within_words(tile, queries, hits, 2, true), isa};
        case 4: return {within_words(tile, queries, hits, 4, true), isa};
        case 8: return {within_words(tile, queries, hits, 8, false), isa};
        case 16: return {within_words(tile, queries, hits, 16, false), isa};
        default: return {within_words(tile, queries, hits, tile.n_words, false), isa};
    }
}
