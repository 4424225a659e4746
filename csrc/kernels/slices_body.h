// Batched scans bit by bit: vectors hold one bit each of as many codes as they have bits (a slice), and full adders
// count, for all of these codes at once, the slices that differ from a query's bits (as bit-sliced arithmetic does:
// Biham, A Fast New DES Implementation in Software, FSE 1997). What the first adders would find in three slices is
// looked up: there are but eight patterns of a query's bits, and all queries share them.
//
// Per set of codes (one vector's bits), query and 32 bits of the code: 21 full adders of 5 instructions on 22 vectors
// looked up, 12 loads of keys. Per set and query besides 1 test. Tables of a chunk take 21 KB: they stay in L1.
//
// Included behind slice_tables.h and candidate_body.h.

constexpr std::size_t low_levels = 7, most_levels = 16;
static_assert(8 * most_plane_bytes + 1 < std::size_t{1} << most_levels, "a number above all distances must fit");

// Four bits of a number, each filling a word.
struct SpreadBits {
    std::uint32_t of[16][4];
};

constexpr SpreadBits make_spread_bits() {
    SpreadBits spread{};
    for (unsigned four = 0; four < 16; ++four)
        for (unsigned i = 0; i < 4; ++i) spread.of[four][i] = four >> i & 1 ? ~std::uint32_t{0} : 0;
    return spread;
}

constexpr SpreadBits spread_bits = make_spread_bits();

// Bit i of the numbers is in at[i]. They begin at 2**levels - limit, so that who is not below the limit overflows.
struct Counts {
    Bits at[most_levels];
    Bits beyond;
};

// Sum in *sum, carry returned: two instructions after `last`, which is to be the number that comes last.
static inline __attribute__((always_inline)) Bits full_add(Bits* sum, Bits a, Bits last) {
    const Bits differing = differ(*sum, a), carry = either(both(*sum, a), both(differing, last));
    *sum = differ(differing, last);
    return carry;
}

// Half the bits of half a word: five triples and a single one. What is carried into the 16s.
static inline __attribute__((always_inline)) Bits add_sixteen(Bits* counts, const unsigned char* tables,
                                                              const std::uint16_t* keys) {
    const unsigned char *t0 = tables + keys[0], *t1 = tables + keys[1], *t2 = tables + keys[2];
    const unsigned char *t3 = tables + keys[3], *t4 = tables + keys[4], *t5 = tables + keys[5];
    const Bits a = full_add(counts, load_bits(t0), load_bits(t1));
    const Bits b = full_add(counts + 1, load_bits(t0 + bits_size), load_bits(t1 + bits_size));
    const Bits c = full_add(counts, load_bits(t2), load_bits(t3));
    const Bits d = full_add(counts + 1, load_bits(t2 + bits_size), a);
    const Bits f = full_add(counts + 1, load_bits(t3 + bits_size), c);
    const Bits g = full_add(counts, load_bits(t4), load_bits(t5));
    const Bits e = full_add(counts + 2, b, d);
    const Bits h = full_add(counts + 1, load_bits(t4 + bits_size), g);
    return full_add(counts + 3, e, full_add(counts + 2, f, h));
}

static inline __attribute__((always_inline)) Bits add_half(Bits* counts, const unsigned char* tables,
                                                           const std::uint16_t* keys) {
    const Bits a = add_sixteen(counts, tables, keys);
    return full_add(counts + 4, a, add_sixteen(counts, tables, keys + keys_per_half / 2));
}

static inline __attribute__((always_inline)) Bits half_add(Bits* sum, Bits bit) {
    const Bits carry = both(*sum, bit);
    *sum = differ(*sum, bit);
    return carry;
}

// A chunk of the code; what is carried behind the low levels.
static inline __attribute__((always_inline)) Bits add_chunk(Bits* low, const unsigned char* tables,
                                                            const std::uint16_t* keys, const std::size_t n_halves) {
    Bits before = all_bits(0);
    for (std::size_t half = 0;; half += 2, tables += 2 * half_size, keys += 2 * keys_per_half) {
        Bits carry = add_half(low, tables, keys);
        if (half + 1 < n_halves)
            carry = full_add(low + 5, carry, add_half(low, tables + half_size, keys + keys_per_half));
        else carry = half_add(low + 5, carry);
        if (half + 2 >= n_halves) return half == 0 ? half_add(low + 6, carry) : full_add(low + 6, before, carry);
        before = carry;
    }
}

// What a call asks of all sets.
struct SliceLimits {
    std::size_t levels;  // bits that count up to 8 * code_size and one more, at least 7
    std::size_t n_live;
    unsigned char live[max_block_queries];  // queries with a limit
    std::uint32_t starts[max_block_queries][most_levels];
};

static void read_slice_limits(SliceLimits* limits, const SliceQueries& queries, std::size_t code_size) {
    const std::uint64_t beyond_all = 8 * code_size + 1;
    limits->levels = low_levels;
    while (beyond_all >> limits->levels) ++limits->levels;
    limits->n_live = 0;
    for (std::size_t q = 0; q < queries.n_queries; ++q) {
        if (queries.limits[q] == 0) continue;
        const std::uint64_t limit = queries.limits[q] < beyond_all ? queries.limits[q] : beyond_all;
        const std::uint64_t start = (std::uint64_t{1} << limits->levels) - limit;
        for (std::size_t i = 0; i < limits->levels; i += 4)
            std::memcpy(limits->starts[q] + i, spread_bits.of[start >> i & 15], sizeof spread_bits.of[0]);
        limits->live[limits->n_live++] = static_cast<unsigned char>(q);
    }
}

struct SliceSet {
    const unsigned char* codes;
    std::size_t code_size, count, first;  // count <= slice_step; number of the first in the run
};

// Hits of a query, some code of which is near: code `lanes * i + j` of the set is bit i of lane j. All lanes are
// written, since a branch for each would be mispredicted; where that is much to count, a hit is worth the branch.
static inline __attribute__((always_inline)) Hit* write_lanes(Hit* end, const std::uint64_t* beyond, std::size_t i,
                                                              const std::uint64_t* words, std::uint64_t start,
                                                              const SliceSet& set, const bool branches) {
    const std::size_t first = lanes * i, left = set.count < first ? 0 : set.count - first;
    for (std::size_t j = 0; j < lanes && j < left; ++j) {
        const std::size_t is_near = ~beyond[j] >> i & 1;
        if (branches && !is_near) continue;
        const std::size_t code = first + j;
        const std::uint32_t distance = distance_to(set.codes + code * set.code_size, set.code_size, words);
        *end = start + make_hit(distance, set.first + code);
        end += is_near;
    }
    return end;
}

static __attribute__((noinline)) Hit* write_near(Hit* end, Bits which, const std::uint64_t* words, std::size_t query,
                                                 const SliceSet& set) {
    constexpr std::size_t most_without = 32;  // bytes
    alignas(64) std::uint64_t beyond[lanes];
    store_bits(reinterpret_cast<unsigned char*>(beyond), which);
    std::uint64_t beyond_in_all = beyond[0];
    for (std::size_t j = 1; j < lanes; ++j) beyond_in_all &= beyond[j];
    const std::uint64_t start = std::uint64_t{query} << query_shift;
    for (std::uint64_t left = ~beyond_in_all; left; left &= left - 1) {
        const auto i = static_cast<std::size_t>(__builtin_ctzll(left));
        if (set.code_size <= most_without) end = write_lanes(end, beyond, i, words, start, set, false);
        else end = write_lanes(end, beyond, i, words, start, set, true);
    }
    return end;
}

// Adds a chunk to the counts of a query; which codes are beyond its limit for sure.
static inline __attribute__((always_inline)) Bits count_chunk(Counts* kept, const std::uint32_t* start,
                                                              const unsigned char* tables, const std::uint16_t* keys,
                                                              const std::size_t n_halves, const std::size_t levels,
                                                              const bool is_first, const bool is_last) {
    Bits low[low_levels];
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < low_levels; ++i) low[i] = is_first ? all_bits(start[i]) : kept->at[i];
    Bits carry = add_chunk(low, tables, keys, n_halves);
    for (std::size_t i = low_levels; i < levels; ++i) {
        Bits sum = is_first ? all_bits(start[i]) : kept->at[i];
        carry = half_add(&sum, carry);
        if (!is_last) kept->at[i] = sum;
    }
    const Bits beyond = is_first ? carry : either(kept->beyond, carry);
    if (is_last || are_all_set(beyond)) return beyond;
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < low_levels; ++i) kept->at[i] = low[i];
    kept->beyond = beyond;
    return beyond;
}

// Codes of up to 64 bits: one chunk, whose counts stay in registers.
static Hit* within_word(Hit* end, const SliceSet& set, const SliceQueries& queries, const SliceLimits& limits,
                        unsigned char* tables) {
    const std::size_t set_size = slice_step * set.code_size;
    fill_tables(set.codes, set.code_size, set.count, 0, tables);
    LinesAhead ahead(set.codes, set_size, set_size, limits.n_live);
    for (std::size_t l = 0; l < limits.n_live; ++l) {
        const std::size_t q = limits.live[l];
        ahead.ask();
        const std::uint16_t* keys = queries.keys + q * slice_keys(set.code_size);
        const Bits beyond = set.code_size > 4
                                ? count_chunk(nullptr, limits.starts[q], tables, keys, 2, low_levels, true, true)
                                : count_chunk(nullptr, limits.starts[q], tables, keys, 1, low_levels, true, true);
        if (__builtin_expect(!are_all_set(beyond), 0)) end = write_near(end, beyond, queries.words + q, q, set);
    }
    return end;
}

// Wider codes: a query leaves when no code of the set can be near, and tables are filled for those that are left.
static Hit* within_words(Hit* end, const SliceSet& set, const SliceQueries& queries, const SliceLimits& limits,
                         unsigned char* tables, Counts* kept) {
    const std::size_t n_halves = slice_halves(set.code_size), n_words = (set.code_size + 7) / 8;
    unsigned char live[max_block_queries];
    std::size_t n_live = limits.n_live;
    std::memcpy(live, limits.live, n_live);
    for (std::size_t half = 0; half < n_halves && n_live > 0; half += halves_per_chunk) {
        const std::size_t n = n_halves - half < halves_per_chunk ? n_halves - half : halves_per_chunk;
        const bool is_first = half == 0, is_last = half + n == n_halves;
        fill_tables(set.codes, set.code_size, set.count, 4 * half, tables);
        LinesAhead ahead(set.codes, slice_step * (set.code_size + 4 * half), slice_step * 4 * n, n_live);
        std::size_t n_left = 0;
        for (std::size_t l = 0; l < n_live; ++l) {
            const std::size_t q = live[l];
            ahead.ask();
            const std::uint16_t* keys = queries.keys + (q * n_halves + half) * keys_per_half;
            const Bits beyond = n == halves_per_chunk ? count_chunk(kept + q, limits.starts[q], tables, keys,
                                                                    halves_per_chunk, limits.levels, is_first, is_last)
                                                      : count_chunk(kept + q, limits.starts[q], tables, keys, n,
                                                                    limits.levels, is_first, is_last);
            const bool is_near = !are_all_set(beyond);
            if (__builtin_expect(is_last && is_near, 0))
                end = write_near(end, beyond, queries.words + q * n_words, q, set);
            live[n_left] = static_cast<unsigned char>(q);
            n_left += is_near;
        }
        n_live = n_left;
    }
    return end;
}

static inline __attribute__((always_inline)) SliceSet set_from(const CodeRun& run, std::size_t first) {
    const std::size_t left = run.n_codes - first;
    return {run.codes + first * run.code_size, run.code_size, left < slice_step ? left : slice_step, first};
}

// Apart, since counts of all queries take 68 KB of the stack.
static __attribute__((noinline)) Hit* within_wide(Hit* end, const CodeRun& run, const SliceQueries& queries,
                                                  const SliceLimits& limits, unsigned char* tables) {
    Counts kept[max_block_queries];
    for (std::size_t first = 0; first < run.n_codes; first += slice_step)
        end = within_words(end, set_from(run, first), queries, limits, tables, kept);
    return end;
}

static Found within_slices(const CodeRun& run, const SliceQueries& queries, Hit* hits) {
    alignas(64) unsigned char tables[halves_per_chunk * half_size];
    SliceLimits limits;
    read_slice_limits(&limits, queries, run.code_size);
    Hit* end = hits;
    if (run.code_size > 8) {
        end = within_wide(end, run, queries, limits, tables);
    } else {
        for (std::size_t first = 0; first < run.n_codes; first += slice_step)
            end = within_word(end, set_from(run, first), queries, limits, tables);
    }
    return {static_cast<std::size_t>(end - hits), isa};
}
