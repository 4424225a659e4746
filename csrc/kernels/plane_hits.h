// The hits of a pass over a set of planes, at least one code of which is near. Needs, in scope: Bytes, byte_lanes,
// planes_at_once (queries of a pass), load_bytes, all_bytes (of a byte four times), which_below_bytes.

// A set of planes, of which codes [begin, end) are meant. Its first code has number `first` in the tile, which wraps
// around where the tile begins behind that code.
struct PlaneSet {
    const unsigned char* planes;
    const unsigned char* next;
    std::size_t begin, end, first;
};

// Hits of one query: the codes whose byte in `tested` is below the limit.
static Hit* write_below(Hit* end, const unsigned char* tested, std::uint32_t limit, const std::uint16_t* distances,
                        std::size_t query, const PlaneSet& set) {
    const Bytes limits = all_bytes(limit);
    const std::uint64_t start = std::uint64_t{query} << query_shift;
    for (std::size_t from = 0; from < plane_step; from += byte_lanes) {
        if (from + byte_lanes <= set.begin || from >= set.end) continue;
        std::uint64_t which = which_below_bytes(load_bytes(tested + from), limits);
        if (from < set.begin) which = which >> (set.begin - from) << (set.begin - from);
        if (from + byte_lanes > set.end) which &= (std::uint64_t{1} << (set.end - from)) - 1;
        for (; which; which &= which - 1) {
            const std::size_t code = from + static_cast<std::size_t>(__builtin_ctzll(which));
            *end++ = start + make_hit(distances[code], set.first + code);
        }
    }
    return end;
}

static __attribute__((noinline)) Hit* write_bytes_below(Hit* end, const unsigned char* sums,
                                                        const std::uint32_t* limits, std::size_t query,
                                                        const PlaneSet& set) {
    for (std::size_t i = 0; i < planes_at_once; ++i, sums += plane_step) {
        std::uint16_t distances[plane_step];
        for (std::size_t code = 0; code < plane_step; ++code) distances[code] = sums[code];
        end = write_below(end, sums, limits[i], distances, query + i, set);
    }
    return end;
}

static __attribute__((noinline)) Hit* write_sums_below(Hit* end, const std::uint16_t* sums, std::uint16_t limit,
                                                       std::size_t query, const PlaneSet& set) {
    alignas(64) unsigned char beyond[plane_step];
    for (std::size_t code = 0; code < plane_step; ++code) beyond[code] = sums[code] >= limit;
    return write_below(end, beyond, 0x01010101u, sums, query, set);
}
