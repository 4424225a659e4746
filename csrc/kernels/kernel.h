// The kernel contract: raw pointers in, hits out. One implementation per ISA, chosen once per batch by dispatch.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hashindex {

// A found code as one integer whose order is the total order of the library: distance first, then row.
// Distances need 17 bits (n_bits <= 65,536); rows get 40; the query's number in its block, if any, stands above.
using Hit = std::uint64_t;
constexpr unsigned row_bits = 40, query_shift = 57;

constexpr Hit make_hit(std::uint64_t distance, std::uint64_t row) { return distance << row_bits | row; }
constexpr std::uint32_t hit_distance(Hit hit) { return static_cast<std::uint32_t>(hit << 7 >> (row_bits + 7)); }
constexpr std::uint64_t hit_row(Hit hit) { return hit & ((Hit{1} << row_bits) - 1); }
constexpr std::size_t hit_query(Hit hit) { return static_cast<std::size_t>(hit >> query_shift); }
constexpr Hit without_query(Hit hit) { return hit & ((Hit{1} << query_shift) - 1); }

constexpr std::size_t max_block_queries = 128;

// Codes per group of a tile: four vectors of the widest ISA.
constexpr std::size_t tile_step = 32;

// Groups of tile_step codes, one after the other; inside a group all first words, then all second words: word w of
// code i lies 8 * (i / tile_step * tile_step * n_words + w * tile_step + i % tile_step) bytes behind `words`, which may
// be unaligned. The last group is readable to its end. One-word codes are a tile as they lie in memory.
struct Tile {
    const unsigned char* words;
    std::size_t n_words;
    std::size_t n_codes;

    // Codes [first, first + count) or up to the last; first is a multiple of tile_step.
    Tile part(std::size_t first, std::size_t count) const {
        return {words + 8 * first * n_words, n_words, n_codes - first < count ? n_codes - first : count};
    }
};

// Codes per set of planes: whole vectors of bytes on every ISA.
constexpr std::size_t plane_step = 128;

// Wider codes have neither planes nor slices: their distances might not fit in 15 bits.
constexpr std::size_t most_plane_bytes = 2048;

// Sets of plane_step codes, one after the other; inside a set plane after plane, each of one byte per code: the byte of
// the code itself, or its low and then its high four bits. Codes [begin, begin + n_codes) of them are meant.
struct PlaneTile {
    const unsigned char* planes;
    std::size_t code_size;
    const unsigned char* next;  // as many codes, which the kernel asks memory for meanwhile; need not be there
    std::size_t begin;
    std::size_t n_codes;

    // Codes [first, first + count) or up to the last. A part that goes beyond a set ends where one ends, so that the
    // parts behind it share none.
    PlaneTile part(std::size_t first, std::size_t count) const {
        const std::size_t from = begin + first, whole = (from + count) / plane_step * plane_step;
        if (n_codes - first <= count) count = n_codes - first;
        else if (whole > from) count = whole - from;
        return {planes, code_size, next, from, count};
    }
};

// As QueryBlock, the queries turned into keys of their planes.
struct PlaneQueries {
    const unsigned char* keys;
    const std::uint64_t* limits;
    std::size_t n_queries;
};

// Codes as they lie in memory, of which `step` are sliced together.
struct CodeRun {
    const unsigned char* codes;
    std::size_t code_size;
    std::size_t n_codes;
    std::size_t step;

    // Codes [first, first + count) or up to the last; whole steps where there are more.
    CodeRun part(std::size_t first, std::size_t count) const {
        if (n_codes - first <= count) count = n_codes - first;
        else if (count > step) count -= count % step;
        return {codes + first * code_size, code_size, count, step};
    }
};

// Keys per query: so many for every 32 bits of the code, the last of which may be fewer.
constexpr std::size_t keys_per_half = 12;
constexpr std::size_t slice_halves(std::size_t code_size) { return (code_size + 3) / 4; }
constexpr std::size_t slice_keys(std::size_t code_size) { return slice_halves(code_size) * keys_per_half; }

// As QueryBlock, with keys for slices besides.
struct SliceQueries {
    const std::uint16_t* keys;
    const std::uint64_t* words;
    const std::uint64_t* limits;
    std::size_t n_queries;
};

// Queries per pass of a kernel over a group of codes. Blocks are padded to a multiple of it.
constexpr std::size_t query_step = 4;

// Counters per key: neighbouring codes raise different ones, so that equal keys do not wait for each other's store.
constexpr std::size_t count_lanes = 4;

// Up to max_block_queries queries, row after row of n_words words. Query q wants the codes at distances below
// limits[q].
struct QueryBlock {
    const std::uint64_t* words;
    const std::uint64_t* limits;  // 0 = none; at most 2**31
    std::size_t n_queries;        // a multiple of query_step
};

// A run of a table's places to be looked at for one query.
struct Bucket {
    std::uint32_t begin, end;
    std::uint32_t query;
};

// Two 32-bit numbers in this order: the AVX-512 filter writes both at once.
struct Candidate {
    std::uint32_t query;
    std::uint32_t place;  // in a table; later the row there
};

// What a kernel found, and which kernel it was: told by the code that ran.
struct Found {
    std::size_t count;
    const char* isa;
};

// Label words of a run of items: word w of item i is words[w * stride + i].
struct LabelRun {
    const std::uint32_t* words;
    std::size_t stride, count, n_words;
    bool shared;  // relevant are those with a bit in common; else those whose words are all equal
};

struct Kernel {
    const char* isa;

    // Turns `count` <= tile_step codes, one after the other, into a group of a tile.
    Found (*transpose)(const unsigned char* codes, std::size_t code_size, std::size_t count, std::uint64_t* group);

    // Writes a hit (query in the block, distance, position in the tile) for every code below its query's limit; those
    // of one query ascend by position. `hits` has room for n_codes * n_queries.
    Found (*within)(const Tile& tile, const QueryBlock& queries, Hit* hits);

    // As `within`, for one query (n_words words) and `count` codes as they lie in memory, where as many as `readable`
    // may be read.
    Found (*within_run)(const unsigned char* codes, std::size_t code_size, std::size_t count, std::size_t readable,
                        const std::uint64_t* query, std::uint64_t limit, Hit* hits);

    // Counts every code of the tile under the key distance + zones[q][position], for query_step queries (rows of
    // n_words words): raises one of the count_lanes numbers from counts[q][count_lanes * key] on. Each zones[q] has an
    // entry for every code up to the end of the last group; what follows the last code is counted too, whatever is
    // there.
    Found (*count)(const Tile& tile, const std::uint64_t* queries, const std::uint64_t* const* zones,
                   std::uint32_t* const* counts);

    // Writes for each item of the run `relevant` or `irrelevant`, which it is to a query with the label words `wanted`.
    Found (*mark)(const LabelRun& items, const std::uint32_t* wanted, std::uint64_t irrelevant, std::uint64_t relevant,
                  std::uint64_t* zones);

    // Writes the candidates of the buckets whose copy (the one word of the code at that place) differs from the query's
    // in fewer than limits[query] bits, in order, and their distances. There is room for all of them and 8 more.
    Found (*filter)(const Bucket* buckets, std::size_t n_buckets, const std::uint64_t* copies,
                    const std::uint64_t* query_words, const std::uint64_t* limits, Candidate* candidates,
                    std::uint32_t* distances);

    // Writes the distance of each candidate's row (in `codes`, code_size bytes each) to its query.
    Found (*measure)(const unsigned char* codes, std::size_t code_size, const Candidate* candidates, std::size_t count,
                     const std::uint64_t* query_words, std::uint32_t* distances);

    // Keeps, in order, the candidates whose row differs from the query in fewer than limits[query] bits, and writes
    // their distances. Asks memory for the rows itself.
    Found (*keep_near)(const unsigned char* codes, std::size_t code_size, Candidate* candidates, std::size_t count,
                       const std::uint64_t* query_words, const std::uint64_t* limits, std::uint32_t* distances);

    // Drops, in order, the candidates that table u (any but `table`) has shown before: those whose bits under masks[u]
    // (n_words words each) differ from the query's in at most shown[u] places.
    Found (*drop_seen)(const unsigned char* codes, std::size_t code_size, Candidate* candidates,
                       std::uint32_t* distances, std::size_t count, const std::uint64_t* query_words,
                       const std::uint64_t* masks, const std::int32_t* shown, std::size_t n_tables, std::size_t table);

    // Writes the bits of each code that `mask` (n_words words, at most 32 bits set) selects, packed together.
    Found (*extract)(const unsigned char* codes, std::size_t code_size, std::size_t count, const std::uint64_t* mask,
                     std::uint32_t* keys);

    // Planes per byte of the code; 0 where batches are as fast without planes: then the functions below are null.
    std::size_t planes_per_byte;

    // Turns `count` <= plane_step codes (at least 1, at most most_plane_bytes wide) into a set of planes. Whatever
    // follows the last code is like some code.
    Found (*split)(const unsigned char* codes, std::size_t code_size, std::size_t count, unsigned char* set);

    // Turns n_queries (a multiple of query_step) rows of words into keys, code_size * planes_per_byte bytes each.
    Found (*make_keys)(const std::uint64_t* words, std::size_t code_size, std::size_t n_queries, unsigned char* keys);

    // As `within`, over planes; positions count from the tile's `begin`.
    Found (*within_planes)(const PlaneTile& tile, const PlaneQueries& queries, Hit* hits);

    // Codes that are sliced together; 0 where batches are as fast by planes or tiles: then the functions below are
    // null.
    std::size_t slice_step;

    // Turns n_queries rows of words into slice_keys(code_size) keys each.
    Found (*make_slice_keys)(const std::uint64_t* words, std::size_t code_size, std::size_t n_queries,
                             std::uint16_t* keys);

    // As `within`, over at least one code of at most most_plane_bytes, bit by bit.
    Found (*within_slices)(const CodeRun& run, const SliceQueries& queries, Hit* hits);

    bool prefers_tiles() const { return planes_per_byte == 0 && slice_step == 0; }
};

extern const Kernel scalar_kernel;
#if defined(__x86_64__)
extern const Kernel popcnt_kernel;
extern const Kernel avx2_kernel;
extern const Kernel avx512bw_kernel;
extern const Kernel avx512_kernel;
#elif defined(__aarch64__)
extern const Kernel neon_kernel;
#endif

}  // namespace hashindex
