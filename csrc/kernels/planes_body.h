// The loop of batched scans where counting the bits of a word takes many instructions: over planes, each a byte per
// code. Included behind plane_hits.h, it needs besides, in scope: isa, planes_per_byte, plane_key (of a byte and the
// number of its plane), key_bytes (of a key), differing (bits, of a plane and a key), store_bytes, add_bytes,
// add_saturated, least_bytes, any_below_bytes (of planes_at_once sums and limits).
//
// Per plane, vector of codes and query: 1 `differing`, 1 add. Loads: the plane's vectors for all queries of the pass, 2
// per query. Sums stay in registers: plane_step codes against planes_at_once queries. Per pass and query, 1 minimum per
// vector, then one compare-and-branch.
//
// Bounds: a chunk is at most 31 bytes of the code, so its sums are at most 248. Sums of several chunks saturate at 255:
// below a limit of at most 255 they are exact, and those at or beyond it are told as such. A pass with a higher limit
// adds its chunks up in 16 bits, which hold 8 * most_plane_bytes. Between chunks a pass is left when none of its codes
// is below its limits any more. All queries pass over a chunk before the next: it stays in the L1 cache.

constexpr std::size_t vectors = plane_step / byte_lanes;
constexpr std::size_t sums_at_once = vectors * planes_at_once;
constexpr std::size_t most_chunk_bytes = 31;
static_assert(query_step % planes_at_once == 0 && max_block_queries / planes_at_once <= 256, "whole passes");

// What is kept of every query of the block between chunks: sums of 8 or of 16 bits.
struct PlaneSums {
    alignas(64) std::uint16_t of[max_block_queries][plane_step];
};

// One plane against the keys of a pass: sets or raises the sums.
static inline __attribute__((always_inline)) void add_plane(Bytes* d, const unsigned char* plane,
                                                            const unsigned char* keys, const bool is_first) {
    Bytes key[planes_at_once];
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < planes_at_once; ++i) key[i] = key_bytes(keys[i]);
    HASHINDEX_UNROLL
    for (std::size_t j = 0; j < vectors; ++j) {
        const Bytes codes = load_bytes(plane + j * byte_lanes);
        HASHINDEX_UNROLL
        for (std::size_t i = 0; i < planes_at_once; ++i) {
            const Bytes bits = differing(codes, key[i]);
            d[i * vectors + j] = is_first ? bits : add_bytes(d[i * vectors + j], bits);
        }
    }
}

static inline __attribute__((always_inline)) void add_planes(Bytes* d, const unsigned char* planes,
                                                             const unsigned char* keys, const std::size_t n_planes) {
    add_plane(d, planes, keys, true);
    HASHINDEX_UNROLL
    for (std::size_t p = 1; p < n_planes; ++p) add_plane(d, planes + p * plane_step, keys + p * planes_at_once, false);
}

// Whether any code is below the limit of its query.
static inline __attribute__((always_inline)) bool any_near(const Bytes* d, const std::uint32_t* limits) {
    Bytes least[planes_at_once], limit[planes_at_once];
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < planes_at_once; ++i) {
        least[i] = d[i * vectors];
        HASHINDEX_UNROLL
        for (std::size_t j = 1; j < vectors; ++j) least[i] = least_bytes(least[i], d[i * vectors + j]);
        limit[i] = all_bytes(limits[i]);
    }
    return any_below_bytes(least, limit);
}

static inline __attribute__((always_inline)) void store_sums(unsigned char* to, const Bytes* d) {
    HASHINDEX_UNROLL
    for (std::size_t j = 0; j < sums_at_once; ++j) store_bytes(to + j * byte_lanes, d[j]);
}

// Adds a chunk's sums to those of 16 bits, or sets them. Returns the least.
static inline __attribute__((always_inline)) std::uint16_t widen(std::uint16_t* sums, const unsigned char* bytes,
                                                                 const bool is_first) {
    std::uint16_t least = 0x7fff;
    for (std::size_t code = 0; code < plane_step; ++code) {
        const auto sum = static_cast<std::uint16_t>(is_first ? bytes[code] : sums[code] + bytes[code]);
        sums[code] = sum;
        least = sum < least ? sum : least;
    }
    return least;
}

// The limits of a block, in the forms that passes compare with.
struct PlaneLimits {
    std::uint32_t bytes[max_block_queries];  // a byte, four times
    std::uint16_t sums[max_block_queries];
    unsigned char live[max_block_queries / planes_at_once];  // passes that want anything
    std::size_t n_live;
};

static inline void read_limits(PlaneLimits* limits, const PlaneQueries& queries) {
    limits->n_live = 0;
    for (std::size_t q = 0; q < queries.n_queries; q += planes_at_once) {
        std::uint64_t any = 0;
        for (std::size_t i = q; i < q + planes_at_once; ++i) {
            const std::uint64_t limit = queries.limits[i];
            limits->bytes[i] = 0x01010101u * static_cast<std::uint32_t>(limit < 0xff ? limit : 0xff);
            limits->sums[i] = static_cast<std::uint16_t>(limit < 0x7fff ? limit : 0x7fff);
            any |= limit;
        }
        limits->live[limits->n_live] = static_cast<unsigned char>(q / planes_at_once);
        limits->n_live += any != 0;
    }
}

// Codes of one chunk: no distance is beyond a byte.
static inline __attribute__((always_inline)) Hit* within_chunk(Hit* end, const PlaneSet& set, const unsigned char* keys,
                                                               const PlaneLimits& limits, const std::size_t n_planes) {
    LinesAhead ahead(set.next, 0, n_planes * plane_step / planes_per_byte, limits.n_live);
    for (std::size_t l = 0; l < limits.n_live; ++l) {
        const std::size_t q = limits.live[l] * planes_at_once;
        ahead.ask();
        Bytes d[sums_at_once];
        add_planes(d, set.planes, keys + q * n_planes, n_planes);
        if (__builtin_expect(any_near(d, limits.bytes + q), 0)) {
            alignas(64) unsigned char sums[planes_at_once * plane_step];
            store_sums(sums, d);
            end = write_bytes_below(end, sums, limits.bytes + q, q, set);
        }
    }
    return end;
}

// Codes of several chunks: what is left of the passes goes on to the next.
static Hit* within_chunks(Hit* end, const PlaneSet& set, const unsigned char* keys, const PlaneLimits& limits,
                          const std::size_t code_size, PlaneSums* kept) {
    const std::size_t n_chunks = (code_size + most_chunk_bytes - 1) / most_chunk_bytes;
    const std::size_t chunk = (code_size + n_chunks - 1) / n_chunks;
    unsigned char live[max_block_queries / planes_at_once];
    std::size_t n_live = limits.n_live;
    std::memcpy(live, limits.live, n_live);
    for (std::size_t byte = 0; byte < code_size && n_live > 0; byte += chunk) {
        const std::size_t n_planes = planes_per_byte * (code_size - byte < chunk ? code_size - byte : chunk);
        const unsigned char* planes = set.planes + plane_step * planes_per_byte * byte;
        const bool is_first = byte == 0, is_last = byte + chunk >= code_size;
        LinesAhead ahead(set.next, plane_step * byte, n_planes * plane_step / planes_per_byte, n_live);
        std::size_t n_left = 0;
        for (std::size_t l = 0; l < n_live; ++l) {
            const std::size_t q = live[l] * planes_at_once;
            ahead.ask();
            const unsigned char* of_pass = keys + planes_per_byte * (q * code_size + byte * planes_at_once);
            unsigned char* bytes = reinterpret_cast<unsigned char*>(kept) + sizeof kept->of[0] * q;
            std::uint16_t widest = 0;
            for (std::size_t i = 0; i < planes_at_once; ++i)
                widest = limits.sums[q + i] > widest ? limits.sums[q + i] : widest;
            const bool is_wide = widest > 0xff;
            Bytes d[sums_at_once];
            add_planes(d, planes, of_pass, n_planes);
            bool is_near;
            if (is_wide) {
                alignas(64) unsigned char sums[planes_at_once * plane_step];
                store_sums(sums, d);
                is_near = false;
                for (std::size_t i = 0; i < planes_at_once; ++i) {  // a constant each: Clang would ask in every round
                    std::uint16_t* const to = kept->of[q + i];
                    const unsigned char* const from = sums + i * plane_step;
                    is_near |= (is_first ? widen(to, from, true) : widen(to, from, false)) < limits.sums[q + i];
                }
                if (__builtin_expect(is_last && is_near, 0))
                    for (std::size_t i = 0; i < planes_at_once; ++i)
                        end = write_sums_below(end, kept->of[q + i], limits.sums[q + i], q + i, set);
            } else {
                HASHINDEX_UNROLL
                for (std::size_t j = 0; j < sums_at_once; ++j)
                    d[j] = is_first ? d[j] : add_saturated(d[j], load_bytes(bytes + j * byte_lanes));
                is_near = any_near(d, limits.bytes + q);
                store_sums(bytes, d);
                if (__builtin_expect(is_last && is_near, 0))
                    end = write_bytes_below(end, bytes, limits.bytes + q, q, set);
            }
            live[n_left] = live[l];
            n_left += is_near;
        }
        n_live = n_left;
    }
    return end;
}

static Found within_planes(const PlaneTile& tile, const PlaneQueries& queries, Hit* hits) {
    const std::size_t set_bytes = plane_step * planes_per_byte * tile.code_size, stop = tile.begin + tile.n_codes;
    PlaneLimits limits;
    PlaneSums kept;
    read_limits(&limits, queries);
    Hit* end = hits;
    for (std::size_t first = tile.begin / plane_step * plane_step; first < stop; first += plane_step) {
        PlaneSet set = {tile.planes + first / plane_step * set_bytes, tile.next + first * tile.code_size, 0, plane_step,
                        first - tile.begin};
        if (first < tile.begin) set.begin = tile.begin - first;
        if (stop - first < plane_step) set.end = stop - first;
        if (tile.code_size <= most_chunk_bytes)
            end = within_chunk(end, set, queries.keys, limits, tile.code_size * planes_per_byte);
        else end = within_chunks(end, set, queries.keys, limits, tile.code_size, &kept);
    }
    return {static_cast<std::size_t>(end - hits), isa};
}

// Pass after pass, plane after plane, a key for each query of the pass.
static Found make_keys(const std::uint64_t* words, std::size_t code_size, std::size_t n_queries, unsigned char* keys) {
    const std::size_t n_words = (code_size + 7) / 8;
    for (std::size_t q = 0; q < n_queries; q += planes_at_once, words += planes_at_once * n_words)
        for (std::size_t byte = 0; byte < code_size; ++byte)
            for (std::size_t plane = 0; plane < planes_per_byte; ++plane)
                for (std::size_t i = 0; i < planes_at_once; ++i)
                    *keys++ =
                        plane_key(static_cast<unsigned char>(words[i * n_words + byte / 8] >> 8 * (byte % 8)), plane);
    return {n_queries, isa};
}
