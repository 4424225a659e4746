// Slices of codes, and what a query's bits make of three of them. Needs, in scope: isa, lanes (64-bit words of a
// vector), Bits (a vector), load_bits, store_bits, both, either, differ, all_bits (of 32 bits again and again),
// shift_left, shift_right (of words), load_pairs (the first and the second words of as many codes as a vector has
// lanes).

constexpr std::size_t bits_size = 8 * lanes, slice_step = 8 * bits_size;

// Of 32 slices: 10 triples of 8 patterns (whose bit i says that slice i counts where it is 0), each a vector of ones
// and one of twos, then 2 single slices of 2 patterns. Keys are in the order in which they are added up.
constexpr std::size_t triple_size = 16 * bits_size, single_size = 2 * bits_size;
constexpr std::size_t half_size = 10 * triple_size + 2 * single_size;
constexpr std::size_t halves_per_chunk = 4, most_chunk_size = 4 * halves_per_chunk;
static_assert(half_size < 65536, "keys have 16 bits");

// Swaps the bits that `mask` selects in b with those `distance` higher in a: 6 instructions.
static inline __attribute__((always_inline)) void swap_bits(Bits* a, Bits* b, const int distance, Bits mask) {
    const Bits swapped = both(differ(shift_right(*a, distance), *b), mask);
    *b = differ(*b, swapped);
    *a = differ(*a, shift_left(swapped, distance));
}

// Three rounds of a transposition of 64 x 64 bits on 8 of its rows (Warren, Hacker's Delight, section 7-3).
static inline __attribute__((always_inline)) void swap_eight(Bits* rows, const int distance, const std::uint64_t wide,
                                                             const std::uint64_t middle, const std::uint64_t narrow) {
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < 4; ++i) swap_bits(rows + i, rows + i + 4, distance, broadcast(wide));
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < 4; ++i)
        swap_bits(rows + i + (i & 2), rows + i + (i & 2) + 2, distance / 2, broadcast(middle));
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < 8; i += 2) swap_bits(rows + i, rows + i + 1, distance / 4, broadcast(narrow));
}

// The slices of 64 words of each lane, in their place: 1,152 instructions besides loads and stores.
static void transpose_words(Bits* words) {
    for (std::size_t i = 0; i < 8; ++i) {
        Bits rows[8];
        HASHINDEX_UNROLL
        for (std::size_t j = 0; j < 8; ++j) rows[j] = words[i + 8 * j];
        swap_eight(rows, 32, 0x00000000ffffffff, 0x0000ffff0000ffff, 0x00ff00ff00ff00ff);
        HASHINDEX_UNROLL
        for (std::size_t j = 0; j < 8; ++j) words[i + 8 * j] = rows[j];
    }
    for (std::size_t i = 0; i < 64; i += 8)
        swap_eight(words + i, 4, 0x0f0f0f0f0f0f0f0f, 0x3333333333333333, 0x5555555555555555);
}

// 21 instructions and 16 stores.
static inline __attribute__((always_inline)) void fill_triple(const Bits* slices, unsigned char* to) {
    const Bits a = slices[0], b = slices[1], c = slices[2], ones = all_bits(~std::uint32_t{0});
    const Bits odd = differ(differ(a, b), c), even = differ(odd, ones), not_a = differ(a, ones);
    const Bits all = both(a, b), any = either(a, b), and_not_a = both(not_a, b), or_not_a = either(not_a, b);
    const Bits not_c = differ(c, ones);
    const Bits twos[4] = {either(all, both(any, c)), either(and_not_a, both(or_not_a, c)),
                          either(all, both(any, not_c)), either(and_not_a, both(or_not_a, not_c))};  // 0, a, c, a and c
    const Bits both_of[8] = {twos[0], twos[1], differ(twos[3], ones), differ(twos[2], ones),
                             twos[2], twos[3], differ(twos[1], ones), differ(twos[0], ones)};
    HASHINDEX_UNROLL
    for (std::size_t pattern = 0; pattern < 8; ++pattern, to += 2 * bits_size) {
        store_bits(to, (0x96 >> pattern & 1) ? even : odd);
        store_bits(to + bits_size, both_of[pattern]);
    }
}

static void fill_words(const Bits* slices, std::size_t n_halves, unsigned char* to) {
    for (std::size_t i = 0; i < 32 * n_halves; i += 16) {
        unsigned char* const half = to + i / 32 * half_size;
        for (std::size_t j = 0; j < 5; ++j) fill_triple(slices + i + 3 * j, half + (i % 32 / 16 * 5 + j) * triple_size);
        unsigned char* const single = half + 10 * triple_size + i % 32 / 16 * single_size;
        store_bits(single, slices[i + 15]);
        store_bits(single + bits_size, differ(slices[i + 15], all_bits(~std::uint32_t{0})));
    }
}

// Words of a chunk, one code's beside the other's; zeros behind the last.
static void copy_words(const unsigned char* codes, std::size_t code_size, std::size_t count, std::size_t byte,
                       std::size_t n_bytes, unsigned char* to) {
    const std::size_t chunk_size = n_bytes > 8 ? 16 : 8, size = count * code_size;
    for (std::size_t from = 0; from < n_bytes; from += 8) {
        const std::size_t n = n_bytes - from < 8 ? n_bytes - from : 8, first = byte + from;
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - 8 * n);
        const std::size_t n_whole = size < first + 8 ? 0 : (size - first - 8) / code_size + 1;  // and 8 bytes readable
        for (std::size_t i = 0; i < count; ++i) {
            const unsigned char* bytes = codes + i * code_size + first;
            const std::uint64_t word = i < n_whole ? load_word(bytes) & mask : load_last(bytes, n);
            std::memcpy(to + i * chunk_size + from, &word, sizeof word);
        }
    }
    std::memset(to + count * chunk_size, 0, (slice_step - count) * chunk_size);
}

// The tables of a chunk of the codes, which begins with `byte`.
static void fill_tables(const unsigned char* codes, std::size_t code_size, std::size_t count, std::size_t byte,
                        unsigned char* tables) {
    const std::size_t left = code_size - byte, n_bytes = left < most_chunk_size ? left : most_chunk_size;
    const std::size_t n_halves = slice_halves(n_bytes);
    const bool has_pairs = n_bytes > 8, are_whole = n_bytes == most_chunk_size || code_size == 8;
    alignas(64) unsigned char copied[slice_step * most_chunk_size];
    if (count == slice_step && are_whole) {
        codes += byte;
    } else {
        copy_words(codes, code_size, count, byte, n_bytes, copied);
        codes = copied;
        code_size = has_pairs ? 16 : 8;
    }
    Bits words[2][64];
    for (std::size_t i = 0; i < 64; ++i, codes += lanes * code_size) {
        if (has_pairs) load_pairs(codes, code_size, &words[0][i], &words[1][i]);
        else words[0][i] = load(codes);
    }
    transpose_words(words[0]);
    fill_words(words[0], n_halves < 2 ? n_halves : 2, tables);
    if (!has_pairs) return;
    transpose_words(words[1]);
    fill_words(words[1], n_halves - 2, tables + 2 * half_size);
}

// Where the tables hold what the bits of a query make of the slices.
static Found make_slice_keys(const std::uint64_t* words, std::size_t code_size, std::size_t n_queries,
                             std::uint16_t* keys) {
    const std::size_t n_words = (code_size + 7) / 8, n_halves = slice_halves(code_size);
    for (std::size_t q = 0; q < n_queries; ++q, words += n_words)
        for (std::size_t half = 0; half < n_halves; ++half)
            for (std::size_t i = 0; i < 2; ++i) {
                const std::uint64_t bits = words[half / 2] >> (32 * (half % 2) + 16 * i);
                for (std::size_t j = 0; j < 5; ++j)
                    *keys++ =
                        static_cast<std::uint16_t>((5 * i + j) * triple_size + (bits >> 3 * j & 7) * 2 * bits_size);
                *keys++ = static_cast<std::uint16_t>(10 * triple_size + i * single_size + (bits >> 15 & 1) * bits_size);
            }
    return {n_queries, isa};
}
