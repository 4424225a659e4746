// The filter of copies by vectors. Where few are near a branch skips the others; where many are, a branch that depends
// on each vector would be mispredicted for some 50 cycles: then all of it is written, the near ones first, and the end
// moves by as many. Which of both is a constant to filter_bucket: of a variable the compiler may ask last, behind that
// very branch.
// It needs, in scope: isa, popcount, lanes, one_by_one (buckets of fewer copies are sooner done so), filter_bucket
// (what is near of one bucket; returns how many).

static Found filter(const Bucket* buckets, std::size_t n_buckets, const std::uint64_t* copies,
                    const std::uint64_t* query_words, const std::uint64_t* limits, Candidate* candidates,
                    std::uint32_t* distances) {
    constexpr std::size_t many = 32 * lanes;  // copies of which more than one is near
    std::size_t count = 0, n_passed = 0;
    for (std::size_t b = 0; b < n_buckets; ++b) {
        const Bucket bucket = buckets[b];
        const std::uint64_t query = query_words[bucket.query], limit = limits[bucket.query];
        if (bucket.end - bucket.begin < one_by_one) {
            for (std::uint32_t place = bucket.begin; place < bucket.end; ++place) {
                const std::uint64_t distance = popcount(copies[place] ^ query);
                candidates[count] = {bucket.query, place};
                distances[count] = static_cast<std::uint32_t>(distance);
                count += distance < limit;
            }
            continue;
        }
        if (many * count > n_passed)
            count += filter_bucket(bucket, copies, query, limit, true, candidates + count, distances + count);
        else count += filter_bucket(bucket, copies, query, limit, false, candidates + count, distances + count);
        n_passed += bucket.end - bucket.begin;
    }
    return {count, isa};
}
