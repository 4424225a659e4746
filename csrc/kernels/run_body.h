// One query against codes as they lie in memory, written once and included behind within_body.h (which writes the hits)
// and candidate_body.h (which takes the codes left over). It needs besides, in scope: both (a bitwise and), sum_vectors
// (popcount_xor over the vectors of a code, added up) and sum_neighbours.
//
// Each pass is over 4 * lanes codes and ends like the scan's: 3 minima and one compare-and-branch. Before that, per
// code of v vectors: v loads, xors and popcounts, v - 1 adds; then, for `lanes` codes together, lanes - 1 sums of two
// vectors (2 shuffles or blends and 1 add each), which leave one lane per code. Codes that share a vector share all of
// this. Bound: a distance is at most 65,536, as in within_body.h.
//
// Where vector instructions are what a pass waits for, codes of one vector may go another way: `narrows`, constant of
// the ISA, says that sums of 16 bits are put together (narrow_four, narrow_all), compared (any_narrow_below) and
// widened again where one is near. And some more codes (`beside`, a constant of the ISA) are counted word by word
// meanwhile, on units that idle: 1 load, 1 xor, 1 popcount and 1 add per word.

constexpr std::size_t vector_size = 8 * lanes;

// Narrow codes come faster than the hardware's prefetcher looks ahead across pages: they ask for memory themselves,
// this many bytes early. Wide ones gain nothing by it.
constexpr std::size_t ask_early = std::size_t{4} << 10, most_asking = 64;

// How codes lie in vectors.
enum Layout {
    shared,  // several in one, each of 1, 2 or 4 words
    masked,  // shorter than a vector: read with what follows, which is masked
    whole    // in one or more; the rest of the code is read with the bytes before it, which are masked
};

struct LoneQuery {
    const unsigned char* bytes;
    Vector vector, mask;  // the vector of the layout's name; if whole, of the rest
};

static inline __attribute__((always_inline)) LoneQuery lone_query(const std::uint64_t* query,
                                                                  const std::size_t code_size, const Layout layout) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(query);
    const Vector nothing = broadcast(0);
    if (layout == whole && code_size % vector_size == 0) return {bytes, nothing, nothing};
    if (layout == shared && code_size == 8) return {bytes, broadcast(*query), nothing};
    std::uint64_t words[lanes];
    for (std::size_t w = 0; w < lanes; ++w) words[w] = query[w % ((code_size + 7) / 8)];
    const Vector vector = load(reinterpret_cast<const unsigned char*>(words));
    if (layout == shared) return {bytes, vector, nothing};
    unsigned char window[3 * vector_size];  // 0, 0xff, 0
    for (std::size_t i = 0; i < 3 * vector_size; ++i) window[i] = i / vector_size == 1 ? 0xff : 0;
    if (layout == whole) {
        const Vector mask = load(window + code_size % vector_size);
        return {bytes, both(load(bytes + code_size - vector_size), mask), mask};
    }
    const Vector mask = load(window + 2 * vector_size - code_size);
    return {bytes, both(vector, mask), mask};
}

// The distances of `lanes` codes; if narrow, on their way to 16 bits.
static inline __attribute__((always_inline)) Vector distances_of(const unsigned char* codes,
                                                                 const std::size_t code_size, const Layout layout,
                                                                 const LoneQuery& query, const bool is_narrow) {
    Vector parts[lanes];
    const std::size_t n_parts = layout == shared ? code_size / 8 : lanes;
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < n_parts; ++i) {
        const unsigned char* code = codes + i * (layout == shared ? vector_size : code_size);
        if (layout == shared) {
            parts[i] = popcount_xor(load(code), query.vector);
        } else if (layout == masked) {
            parts[i] = popcount_xor(both(load(code), query.mask), query.vector);
        } else {
            parts[i] = sum_vectors(code, query.bytes, code_size / vector_size);
            if (code_size % vector_size) {
                const Vector rest = both(load(code + code_size - vector_size), query.mask);
                parts[i] = add(parts[i], popcount_xor(rest, query.vector));
            }
        }
    }
    return is_narrow ? narrow_four(parts) : sum_neighbours(parts, n_parts);
}

static inline __attribute__((always_inline)) std::size_t within_layout(const unsigned char* codes,
                                                                       const std::size_t code_size, const Layout layout,
                                                                       std::size_t count, std::size_t readable,
                                                                       const std::uint64_t* query, std::uint64_t limit,
                                                                       Hit* hits) {
    const LoneQuery lone = lone_query(query, code_size, layout);
    const Vector limits = broadcast(limit);
    const bool is_vector = layout == whole && code_size == vector_size, is_narrow = narrows && is_vector;
    const Vector narrow = narrow_limits(limit);
    const std::size_t n_beside = is_vector ? beside : 0, n = 4 * lanes + n_beside;
    // Vectors that begin in the last codes would end behind them.
    const std::size_t needed = n + (layout == masked ? (vector_size - 1) / code_size : 0);
    const std::size_t step = lanes * code_size;
    Hit* end = hits;
    std::size_t first = 0;
    for (; first < count && first + needed <= readable; first += n, codes += n * code_size) {
        for (std::size_t at = 0; code_size <= most_asking && at < n * code_size; at += 64)
            __builtin_prefetch(codes + ask_early + at);
        Vector d[4];
        std::uint64_t others[beside + 1], least = limit;
        HASHINDEX_UNROLL
        for (std::size_t v = 0; v < 4; ++v) {  // by turns, so that neither waits for room among instructions to come
            d[v] = distances_of(codes + v * step, code_size, layout, lone, is_narrow);
            if (v >= n_beside) continue;
            others[v] = distance_to(codes + (4 * lanes + v) * code_size, code_size, query);
            least = others[v] < least ? others[v] : least;
        }
        const Vector sums = narrow_all(d);
        if (__builtin_expect(is_narrow ? any_narrow_below(sums, narrow) : any_below(d[0], d[1], d[2], d[3], limits),
                             0)) {
            if (is_narrow) widen(sums, d);
            end = write_hits(end, d[0], d[1], d[2], d[3], limits, 0, first, count);
        }
        for (std::size_t v = 0; __builtin_expect(least < limit, 0) && v < n_beside; ++v)
            if (others[v] < limit && first + 4 * lanes + v < count) *end++ = make_hit(others[v], first + 4 * lanes + v);
    }
    for (; first < count; ++first, codes += code_size) {
        const std::uint32_t distance = distance_to(codes, code_size, query);
        if (distance < limit) *end++ = make_hit(distance, first);
    }
    return static_cast<std::size_t>(end - hits);
}

static Found within_run(const unsigned char* codes, std::size_t code_size, std::size_t count, std::size_t readable,
                        const std::uint64_t* query, std::uint64_t limit, Hit* hits) {
    constexpr Layout of_8 = lanes > 1 ? shared : whole, of_16 = lanes > 2 ? shared : whole,
                     of_32 = lanes > 4 ? shared : whole;
    switch (code_size) {  // a constant unrolls the loop over the code's vectors
        case 8: return {within_layout(codes, 8, of_8, count, readable, query, limit, hits), isa};
        case 16: return {within_layout(codes, 16, of_16, count, readable, query, limit, hits), isa};
        case 32: return {within_layout(codes, 32, of_32, count, readable, query, limit, hits), isa};
        case 64: return {within_layout(codes, 64, whole, count, readable, query, limit, hits), isa};
        case 128: return {within_layout(codes, 128, whole, count, readable, query, limit, hits), isa};
    }
    if (code_size < vector_size)
        return {within_layout(codes, code_size, masked, count, readable, query, limit, hits), isa};
    return {within_layout(codes, code_size, whole, count, readable, query, limit, hits), isa};
}
