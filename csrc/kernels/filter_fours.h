// What filter_vectors.h asks for, four copies at a time, for ISAs with the lanes of avx2_lanes.h: 1 load, 1 xor, 1
// popcount, 1 compare; to write the near ones first 3 permutations, 2 loads of them and 2 stores. 12 or 21 instructions
// per four.

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

constexpr std::uint32_t one_by_one = lanes;

static inline __attribute__((always_inline)) std::size_t filter_bucket(const Bucket& bucket,
                                                                       const std::uint64_t* copies, std::uint64_t query,
                                                                       std::uint64_t limit, const bool many,
                                                                       Candidate* candidates,
                                                                       std::uint32_t* distances) {
    std::size_t count = 0, place = bucket.begin;
    const Vector word = broadcast(query), most = broadcast(limit);
    for (; place + lanes <= bucket.end; place += lanes)
        count += filter_four(load(reinterpret_cast<const unsigned char*>(copies + place)), word, most,
                             std::uint64_t{place} << 32 | bucket.query, many, candidates + count, distances + count);
    if (place == bucket.end) return count;
    const Vector left = broadcast(bucket.end - place),
                 inside = _mm256_cmpgt_epi64(left, _mm256_setr_epi64x(0, 1, 2, 3));
    const Vector words = _mm256_maskload_epi64(reinterpret_cast<const long long*>(copies + place), inside);
    return count + filter_four(words, word, both(most, inside), std::uint64_t{place} << 32 | bucket.query, many,
                               candidates + count, distances + count);
}
