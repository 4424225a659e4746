// The filter of copies one at a time: 1 load, 1 xor, 1 popcount, 1 compare-and-branch each.
// It needs, in scope: isa, popcount (of a 64-bit word).

static Found filter(const Bucket* buckets, std::size_t n_buckets, const std::uint64_t* copies,
                    const std::uint64_t* query_words, const std::uint64_t* limits, Candidate* candidates,
                    std::uint32_t* distances) {
    std::size_t count = 0;
    for (std::size_t b = 0; b < n_buckets; ++b) {
        const Bucket bucket = buckets[b];
        const std::uint64_t limit = limits[bucket.query], query = query_words[bucket.query];
        for (std::uint32_t place = bucket.begin; place < bucket.end; ++place) {
            const std::uint64_t distance = popcount(copies[place] ^ query);
            if (distance >= limit) continue;
            candidates[count] = {bucket.query, place};
            distances[count++] = static_cast<std::uint32_t>(distance);
        }
    }
    return {count, isa};
}
