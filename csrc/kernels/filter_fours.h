// The filter of copies four at a time, for ISAs with the lanes of avx2_lanes.h: 1 load, 1 xor, 1 popcount, 1 compare.
// Where few are near a branch skips the rest; where many are, it would be mispredicted: then all four are written, the
// near ones first (3 permutations, 2 loads of them, 2 stores), and the end moves by as many. 12 or 21 instructions per
// four. `many` is a constant: of a variable the compiler may ask last, behind that very branch.

// Which 32-bit halves of four 64-bit lanes come first: those of the lanes that are near, in order.
struct Gathering {
    alignas(32) std::int32_t halves[16][8];
    alignas(16) std::int32_t low[16][4];
};

static constexpr Gathering gathering_of_fours() {
    Gathering gathering{};
    for (int which = 0; which < 16; ++which) {
        int n = 0;
        for (int lane = 0; lane < 4; ++lane) {
            if (!(which >> lane & 1)) continue;
            gathering.halves[which][2 * n] = 2 * lane;
            gathering.halves[which][2 * n + 1] = 2 * lane + 1;
            gathering.low[which][n++] = lane;
        }
    }
    return gathering;
}

static constexpr Gathering gathering = gathering_of_fours();

// What is near of four copies.
static inline __attribute__((always_inline)) std::size_t filter_four(Vector words, Vector query, Vector limit,
                                                                     std::uint64_t first, const bool many,
                                                                     Candidate* candidates, std::uint32_t* distances) {
    const Vector lane = _mm256_setr_epi32(0, 0, 0, 1, 0, 2, 0, 3), even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    const Vector sums = popcount_xor(words, query);
    const std::uint64_t which = which_below(sums, limit);
    if (!many && __builtin_expect(which == 0, 1)) return 0;
    const Vector halves = load(reinterpret_cast<const unsigned char*>(gathering.halves[which]));
    const __m128i order = _mm_load_si128(reinterpret_cast<const __m128i*>(gathering.low[which]));
    const __m128i low = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(sums, even));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(candidates),
                        _mm256_permutevar8x32_epi32(add(lane, broadcast(first)), halves));
    _mm_storeu_ps(reinterpret_cast<float*>(distances), _mm_permutevar_ps(_mm_castsi128_ps(low), order));
    return popcount(which);
}

static inline __attribute__((always_inline)) std::size_t filter_bucket(const Bucket& bucket,
                                                                       const std::uint64_t* copies, Vector query,
                                                                       Vector limit, const bool many,
                                                                       Candidate* candidates,
                                                                       std::uint32_t* distances) {
    std::size_t count = 0, place = bucket.begin;
    for (; place + 4 <= bucket.end; place += 4)
        count += filter_four(load(reinterpret_cast<const unsigned char*>(copies + place)), query, limit,
                             std::uint64_t{place} << 32 | bucket.query, many, candidates + count, distances + count);
    if (place == bucket.end) return count;
    const Vector left = broadcast(bucket.end - place),
                 inside = _mm256_cmpgt_epi64(left, _mm256_setr_epi64x(0, 1, 2, 3));
    const Vector words = _mm256_maskload_epi64(reinterpret_cast<const long long*>(copies + place), inside);
    return count + filter_four(words, query, both(limit, inside), std::uint64_t{place} << 32 | bucket.query, many,
                               candidates + count, distances + count);
}

static Found filter(const Bucket* buckets, std::size_t n_buckets, const std::uint64_t* copies,
                    const std::uint64_t* query_words, const std::uint64_t* limits, Candidate* candidates,
                    std::uint32_t* distances) {
    std::size_t count = 0, n_passed = 0;
    for (std::size_t b = 0; b < n_buckets; ++b) {
        const Bucket bucket = buckets[b];
        const std::uint64_t word = query_words[bucket.query], most = limits[bucket.query];
        if (bucket.end - bucket.begin < lanes) {
            for (std::uint32_t place = bucket.begin; place < bucket.end; ++place) {
                const std::uint64_t distance = popcount(copies[place] ^ word);
                candidates[count] = {bucket.query, place};
                distances[count] = static_cast<std::uint32_t>(distance);
                count += distance < most;
            }
            continue;
        }
        const Vector query = broadcast(word), limit = broadcast(most);
        if (128 * count > n_passed)  // more than one in 32 fours
            count += filter_bucket(bucket, copies, query, limit, true, candidates + count, distances + count);
        else count += filter_bucket(bucket, copies, query, limit, false, candidates + count, distances + count);
        n_passed += bucket.end - bucket.begin;
    }
    return {count, isa};
}
