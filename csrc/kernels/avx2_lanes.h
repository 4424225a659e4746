// Words in vectors of AVX2, for it and for what goes beyond it: popcount of nibbles by table look-up, bytes summed by
// SAD (Mula, Kurz, Lemire: Faster Population Counts Using AVX2 Instructions, section 3). 7 instructions per 4 codes and
// word, 2 of them shuffles.

constexpr std::size_t lanes = 4;
using Vector = __m256i;
constexpr std::size_t at_once = 2;  // 8 sums, 4 vectors of codes: 12 of 16 registers
constexpr std::size_t beside = 4;   // to 16 in vectors: 5 % less time (Granite Rapids; 8 and more: none)
constexpr bool narrows = true;      // 12 % less time (Granite Rapids)

static inline Vector broadcast(std::uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); }
static inline Vector load(const unsigned char* words) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
}
static inline void store(std::uint64_t* to, Vector value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
}
static inline Vector add(Vector a, Vector b) { return _mm256_add_epi64(a, b); }
static inline Vector both(Vector a, Vector b) { return _mm256_and_si256(a, b); }

// The two tables hold 4 + bits and 4 - bits: the difference that SAD takes is the sum of the nibbles' bits.
static inline Vector popcount_xor(Vector a, Vector b) {
    const Vector above = _mm256_setr_epi8(4, 5, 5, 6, 5, 6, 6, 7, 5, 6, 6, 7, 6, 7, 7, 8,  //
                                          4, 5, 5, 6, 5, 6, 6, 7, 5, 6, 6, 7, 6, 7, 7, 8);
    const Vector below = _mm256_setr_epi8(4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0,  //
                                          4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0);
    const Vector nibble = _mm256_set1_epi8(0x0f);
    const Vector bits = _mm256_xor_si256(a, b);
    const Vector low = _mm256_shuffle_epi8(above, _mm256_and_si256(bits, nibble));
    const Vector high = _mm256_shuffle_epi8(below, _mm256_and_si256(_mm256_srli_epi64(bits, 4), nibble));
    return _mm256_sad_epu8(low, high);
}

// {a0 + a1, b0 + b1, a2 + a3, b2 + b3}: a blend where an unpack would do, since shuffles have fewer ports.
static inline Vector sum_two(Vector a, Vector b) {
    return add(_mm256_blend_epi32(a, b, 0xcc), _mm256_alignr_epi8(b, a, 8));
}

// The sums of each n neighbouring lanes of n vectors, in order.
static inline Vector sum_neighbours(const Vector* v, const std::size_t n) {
    if (n == 1) return v[0];
    const Vector a = sum_two(v[0], v[1]);
    if (n == 2) return _mm256_permute4x64_epi64(a, 0xd8);
    const Vector b = sum_two(v[2], v[3]);
    return add(_mm256_blend_epi32(a, b, 0xf0), _mm256_permute2x128_si256(a, b, 0x21));
}

// 16 codes of 256 bits: 12 packs, 4 times add neighbours, 2 packs, then 3 instructions; 16-bit lanes hold up to 256.
static inline Vector narrow_four(const Vector* v) {
    const Vector pairs = _mm256_packus_epi32(_mm256_packus_epi32(v[0], v[1]), _mm256_packus_epi32(v[2], v[3]));
    return _mm256_madd_epi16(pairs, broadcast(0x0001000100010001));
}
static inline Vector narrow_all(const Vector* fours) {
    const Vector a = _mm256_packus_epi32(fours[0], fours[1]), b = _mm256_packus_epi32(fours[2], fours[3]);
    return _mm256_add_epi16(_mm256_blend_epi32(a, b, 0xf0), _mm256_permute2x128_si256(a, b, 0x21));
}
static inline Vector narrow_limits(std::uint64_t limit) {
    return _mm256_set1_epi16(static_cast<short>(limit < 0x7fff ? limit : 0x7fff));
}
static inline bool any_narrow_below(Vector sums, Vector limits) {
    return _mm256_movemask_epi8(_mm256_cmpgt_epi16(limits, sums)) != 0;
}
static inline void widen(Vector sums, Vector* d) {
    const __m128i low = _mm256_castsi256_si128(sums), high = _mm256_extracti128_si256(sums, 1);
    d[0] = _mm256_cvtepu16_epi64(low);
    d[1] = _mm256_cvtepu16_epi64(_mm_srli_si128(low, 8));
    d[2] = _mm256_cvtepu16_epi64(high);
    d[3] = _mm256_cvtepu16_epi64(_mm_srli_si128(high, 8));
}

static inline Vector as_hits(Vector distances) { return _mm256_slli_epi64(distances, row_bits); }

static inline std::uint64_t which_below(Vector distances, Vector limit) {
    const Vector below = _mm256_cmpgt_epi64(limit, distances);
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(below)));
}

static inline bool any_below(Vector d0, Vector d1, Vector d2, Vector d3, Vector limit) {
    const Vector least = _mm256_min_epu32(_mm256_min_epu32(d0, d1), _mm256_min_epu32(d2, d3));
    return _mm256_movemask_epi8(_mm256_cmpgt_epi64(limit, least)) != 0;
}

static inline std::uint64_t popcount(std::uint64_t bits) {
    return static_cast<std::uint64_t>(__builtin_popcountll(bits));
}
static inline std::uint64_t select(std::uint64_t word, std::uint64_t mask) { return _pext_u64(word, mask); }
