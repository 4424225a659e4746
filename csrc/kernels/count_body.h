// The loop of the histograms of distances, included behind within_body.h, whose sums it takes.
//
// Per pair of code and query: its share of the sums, 1 add and 1 store for the key, then 1 load of the key and 1 load,
// add and store of its counter. Which counter is data, so that part is scalar on every ISA; it has no branch.

static inline __attribute__((always_inline)) void count_words(const Tile& tile, const std::uint64_t* queries,
                                                              const std::uint64_t* const* zones,
                                                              std::uint32_t* const* counts, const std::size_t n_words,
                                                              const bool unrolled) {
    static_assert(4 * lanes % count_lanes == 0 && query_step % at_once == 0, "whole rounds");
    for (std::size_t first = 0; first < tile.n_codes; first += 4 * lanes) {
        const std::size_t group = first / tile_step * tile_step;
        const unsigned char* codes = tile.words + 8 * (group * n_words + (first - group));
        for (std::size_t q = 0; q < query_step; q += at_once) {
            Vector d[4 * at_once];
            sum_words(d, codes, queries + q * n_words, n_words, unrolled);
            std::uint64_t keys[at_once][4 * lanes];
            HASHINDEX_UNROLL
            for (std::size_t i = 0; i < at_once; ++i) {
                const unsigned char* zone = reinterpret_cast<const unsigned char*>(zones[q + i] + first);
                HASHINDEX_UNROLL
                for (std::size_t j = 0; j < 4; ++j)
                    store(keys[i] + j * lanes, add(d[4 * i + j], load(zone + 8 * lanes * j)));
            }
            for (std::size_t code = 0; code < 4 * lanes; code += count_lanes) {
                for (std::size_t i = 0; i < at_once; ++i) {
                    std::uint32_t* const of_query = counts[q + i];
                    HASHINDEX_UNROLL
                    for (std::size_t lane = 0; lane < count_lanes; ++lane)
                        ++of_query[count_lanes * keys[i][code + lane] + lane];
                }
            }
        }
    }
}

static Found count(const Tile& tile, const std::uint64_t* queries, const std::uint64_t* const* zones,
                   std::uint32_t* const* counts) {
    const std::size_t n_words = tile.n_words;
    if (n_words == 1) count_words(tile, queries, zones, counts, 1, true);
    else count_words(tile, queries, zones, counts, n_words, false);  // wider sums hide the counting
    return {tile.n_codes, isa};
}

// Plain loops, which the compiler turns into the ISA's vectors.
static Found mark(const LabelRun& items, const std::uint32_t* wanted, std::uint64_t irrelevant, std::uint64_t relevant,
                  std::uint64_t* zones) {
    constexpr std::size_t at_a_time = 64;
    for (std::size_t first = 0; first < items.count; first += at_a_time) {
        const std::size_t n = items.count - first < at_a_time ? items.count - first : at_a_time;
        const std::uint32_t* words = items.words + first;
        std::uint32_t found[at_a_time] = {};  // bits in common, or bits that differ
        for (std::size_t w = 0; w < items.n_words; ++w, words += items.stride) {
            if (items.shared)
                for (std::size_t i = 0; i < n; ++i) found[i] |= words[i] & wanted[w];
            else
                for (std::size_t i = 0; i < n; ++i) found[i] |= words[i] ^ wanted[w];
        }
        for (std::size_t i = 0; i < n; ++i) zones[first + i] = (found[i] != 0) == items.shared ? relevant : irrelevant;
    }
    return {items.count, isa};
}
