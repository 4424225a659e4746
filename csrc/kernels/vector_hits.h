// The hits of one query among 4 * lanes codes, at least one of which is near. Needs, in scope: Vector, lanes,
// broadcast, store, add, as_hits (hits of row 0 from distances), which_below.

static __attribute__((noinline)) Hit* write_hits(Hit* end, Vector d0, Vector d1, Vector d2, Vector d3, Vector limit,
                                                 std::size_t query, std::size_t first, std::size_t n_codes) {
    const Vector start = broadcast(std::uint64_t{query} << query_shift | first);
    std::uint64_t near[4 * lanes];
    store(near, add(as_hits(d0), start));
    store(near + lanes, add(as_hits(d1), start));
    store(near + 2 * lanes, add(as_hits(d2), start));
    store(near + 3 * lanes, add(as_hits(d3), start));
    std::uint64_t which = which_below(d0, limit) | which_below(d1, limit) << lanes |
                          which_below(d2, limit) << 2 * lanes | which_below(d3, limit) << 3 * lanes;
    if (n_codes - first < 4 * lanes) which &= (std::uint64_t{1} << (n_codes - first)) - 1;
    if (which == (std::uint64_t{1} << 4 * lanes) - 1) {  // as when a search for the nearest begins
        for (std::size_t i = 0; i < 4 * lanes; ++i) end[i] = near[i] + i;
        return end + 4 * lanes;
    }
    for (; which; which &= which - 1) {
        const auto i = static_cast<std::size_t>(__builtin_ctzll(which));
        *end++ = near[i] + i;
    }
    return end;
}
