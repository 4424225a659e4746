// What is done to single codes as they lie in memory, written once and included by every ISA file inside its target
// region. It needs, in scope: isa, popcount (of a 64-bit word), select (the bits of a word that a mask selects,
// packed).

static inline __attribute__((always_inline)) std::uint32_t distance_to(const unsigned char* code, std::size_t code_size,
                                                                       const std::uint64_t* query) {
    const std::size_t n_whole = code_size / 8;
    std::uint64_t distance = 0;
    for (std::size_t w = 0; w < n_whole; ++w) distance += popcount(load_word(code + 8 * w) ^ query[w]);
    if (code_size % 8) distance += popcount(load_last(code + 8 * n_whole, code_size % 8) ^ query[n_whole]);
    return static_cast<std::uint32_t>(distance);
}

// Per candidate and word: 1 load, 1 xor, 1 popcount, 1 add.
static Found measure(const unsigned char* codes, std::size_t code_size, const Candidate* candidates, std::size_t count,
                     const std::uint64_t* query_words, std::uint32_t* distances) {
    const std::size_t n_words = (code_size + 7) / 8;
    for (std::size_t i = 0; i < count; ++i)
        distances[i] = distance_to(codes + candidates[i].place * code_size, code_size,
                                   query_words + candidates[i].query * n_words);
    return {count, isa};
}

// The distance, or one that is no less than the limit: a wide code is left after the line that puts it out of reach.
static inline __attribute__((always_inline)) std::uint64_t distance_below(const unsigned char* code,
                                                                          std::size_t code_size,
                                                                          const std::uint64_t* query,
                                                                          std::uint64_t limit) {
    std::uint64_t distance = 0;
    for (; code_size > line_size; code += line_size, query += line_size / 8, code_size -= line_size) {
        for (std::size_t w = 0; w < line_size / 8; ++w) distance += popcount(load_word(code + 8 * w) ^ query[w]);
        if (distance >= limit) return distance;
    }
    return distance + distance_to(code, code_size, query);
}

// Asks memory for the lines of a code that are read before it is out of reach. Inlined always: see prefetch.h.
static inline __attribute__((always_inline)) void ask_for(const unsigned char* code, const std::size_t code_size,
                                                          std::uint64_t limit) {
    constexpr std::uint64_t bits_per_line = 128;  // by which a far code differs in a line, at the least
    const std::uint64_t n_lines = 1 + limit / bits_per_line;
    prefetch(code, n_lines < code_size / line_size ? n_lines * line_size : code_size);
}

// As `measure`, and per line of a candidate 1 prefetch. Memory is asked for a few candidates ahead: all at once would
// wait for each other, and for lines that nobody reads.
static inline __attribute__((always_inline)) Found keep_near_of(const unsigned char* codes, const std::size_t code_size,
                                                                Candidate* candidates, std::size_t count,
                                                                const std::uint64_t* query_words,
                                                                const std::uint64_t* limits, std::uint32_t* distances) {
    constexpr std::size_t ahead = 16;
    const std::size_t n_words = (code_size + 7) / 8;
    for (std::size_t i = 0; i < count && i < ahead; ++i)
        ask_for(codes + candidates[i].place * code_size, code_size, limits[candidates[i].query]);
    std::size_t n_kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (i + ahead < count)
            ask_for(codes + candidates[i + ahead].place * code_size, code_size, limits[candidates[i + ahead].query]);
        const Candidate candidate = candidates[i];
        const std::uint64_t limit = limits[candidate.query];
        const std::uint64_t distance = distance_below(codes + candidate.place * code_size, code_size,
                                                      query_words + candidate.query * n_words, limit);
        candidates[n_kept] = candidate;
        distances[n_kept] = static_cast<std::uint32_t>(distance);
        n_kept += distance < limit;
    }
    return {n_kept, isa};
}

static Found keep_near(const unsigned char* codes, std::size_t code_size, Candidate* candidates, std::size_t count,
                       const std::uint64_t* query_words, const std::uint64_t* limits, std::uint32_t* distances) {
    switch (code_size) {  // a constant unrolls the loop over the words
        case 16: return keep_near_of(codes, 16, candidates, count, query_words, limits, distances);
        case 32: return keep_near_of(codes, 32, candidates, count, query_words, limits, distances);
        case 64: return keep_near_of(codes, 64, candidates, count, query_words, limits, distances);
        case 128: return keep_near_of(codes, 128, candidates, count, query_words, limits, distances);
    }
    return keep_near_of(codes, code_size, candidates, count, query_words, limits, distances);
}

static inline __attribute__((always_inline)) bool is_seen(const unsigned char* code, std::size_t code_size,
                                                          const std::uint64_t* query, const std::uint64_t* masks,
                                                          const std::int32_t* shown, std::size_t n_tables,
                                                          std::size_t table) {
    const std::size_t n_whole = code_size / 8, n_words = (code_size + 7) / 8;
    for (std::size_t u = 0; u < n_tables; ++u, masks += n_words) {
        if (u == table || shown[u] < 0) continue;
        std::uint64_t flips = 0;
        for (std::size_t w = 0; w < n_words; ++w) {
            const std::uint64_t word = w < n_whole ? load_word(code + 8 * w) : load_last(code + 8 * w, code_size % 8);
            flips += popcount((word ^ query[w]) & masks[w]);
        }
        if (flips <= static_cast<std::uint64_t>(shown[u])) return true;
    }
    return false;
}

// Per candidate, table and word: 3 loads, 1 xor, 1 and, 1 popcount, 1 add. Only codes that are near enough come here.
static Found drop_seen(const unsigned char* codes, std::size_t code_size, Candidate* candidates,
                       std::uint32_t* distances, std::size_t count, const std::uint64_t* query_words,
                       const std::uint64_t* masks, const std::int32_t* shown, std::size_t n_tables, std::size_t table) {
    const std::size_t n_words = (code_size + 7) / 8;
    std::size_t n_kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Candidate candidate = candidates[i];
        const unsigned char* code = codes + candidate.place * code_size;
        const std::uint64_t* query = query_words + candidate.query * n_words;
        bool seen = false;
        if (code_size == 8) {  // no branch: which table has shown a code is anyone's guess
            const std::uint64_t differing = load_word(code) ^ *query;
            for (std::size_t u = 0; u < n_tables; ++u)
                seen |= (u != table) & (static_cast<std::int64_t>(popcount(differing & masks[u])) <= shown[u]);
        } else {
            seen = is_seen(code, code_size, query, masks, shown, n_tables, table);
        }
        candidates[n_kept] = candidate;
        distances[n_kept] = distances[i];
        n_kept += !seen;
    }
    return {n_kept, isa};
}

// Per code and word: 1 load, 1 select, 1 shift, 1 or.
static Found extract(const unsigned char* codes, std::size_t code_size, std::size_t count, const std::uint64_t* mask,
                     std::uint32_t* keys) {
    const std::size_t n_whole = code_size / 8, n_words = (code_size + 7) / 8;
    for (std::size_t i = 0; i < count; ++i, codes += code_size) {
        std::uint64_t key = 0;
        unsigned shift = 0;
        for (std::size_t w = 0; w < n_words; ++w) {
            if (!mask[w]) continue;
            const std::uint64_t word = w < n_whole ? load_word(codes + 8 * w) : load_last(codes + 8 * w, code_size % 8);
            key |= select(word, mask[w]) << shift;
            shift += static_cast<unsigned>(popcount(mask[w]));
        }
        keys[i] = static_cast<std::uint32_t>(key);
    }
    return {count, isa};
}
