// Planes of half bytes, for x86: a query's half byte names a row of the table, and a shuffle takes from the row the
// number of bits in which each code's half byte differs (as "fast scan" does for quantized vectors: Andre, Kermarrec,
// Le Scouarnec, PAMI 2019; here the sums are the distances). Needs the instructions of AVX2.

constexpr std::size_t planes_per_byte = 2;

struct NibbleTable {
    alignas(64) unsigned char rows[16 * 16];
};

constexpr NibbleTable make_nibble_table() {
    NibbleTable table{};
    for (unsigned row = 0; row < 16; ++row)
        for (unsigned column = 0; column < 16; ++column)
            for (unsigned bits = row ^ column; bits; bits >>= 1)
                if (bits & 1) ++table.rows[16 * row + column];
    return table;
}

constexpr NibbleTable nibble_table = make_nibble_table();

// Where the row of a half byte begins: the low one's is plane 0.
static inline unsigned char plane_key(unsigned char byte, std::size_t plane) {
    return static_cast<unsigned char>(plane == 0 ? byte << 4 : byte & 0xf0);
}

static inline __m128i table_row(unsigned char key) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(nibble_table.rows + key));
}

constexpr std::size_t quarter = 32;  // codes of a set that are split together

// Words of codes i, i + 1, i + 16 and i + 17 of a quarter; short ones are filled up with zeros.
static inline __attribute__((always_inline)) __m256i words_of_four(const unsigned char* const* rows, std::size_t i,
                                                                   std::size_t byte, const std::size_t n_bytes) {
    std::uint64_t words[4];
    HASHINDEX_UNROLL
    for (std::size_t j = 0; j < 4; ++j) {
        const unsigned char* bytes = rows[i + j % 2 + 8 * (j & 2)] + byte;
        words[j] = n_bytes == 8 ? load_word(bytes) : load_last(bytes, n_bytes);
    }
    return _mm256_set_epi64x(static_cast<long long>(words[3]), static_cast<long long>(words[2]),
                             static_cast<long long>(words[1]), static_cast<long long>(words[0]));
}

// 2 n_bytes planes of a quarter. Each half of a vector has half the codes: 32 shuffles put their bytes in order.
static inline __attribute__((always_inline)) void split_words(const __m256i* words, std::size_t n_bytes,
                                                              unsigned char* planes) {
    const __m256i by_byte = _mm256_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,  //
                                             0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    __m256i twos[8], fours[8], eights[8];  // codes beside each other
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < 8; ++i) twos[i] = _mm256_shuffle_epi8(words[i], by_byte);
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < 4; ++i) {  // bytes 0 to 3, then 4 to 7
        fours[i] = _mm256_unpacklo_epi16(twos[2 * i], twos[2 * i + 1]);
        fours[4 + i] = _mm256_unpackhi_epi16(twos[2 * i], twos[2 * i + 1]);
    }
    HASHINDEX_UNROLL
    for (std::size_t i = 0; i < 4; ++i) {  // two bytes each, of codes 0 to 7, then of 8 to 15
        const __m256i* four = fours + i / 2 * 4;
        eights[i] = i % 2 ? _mm256_unpackhi_epi32(four[0], four[1]) : _mm256_unpacklo_epi32(four[0], four[1]);
        eights[4 + i] = i % 2 ? _mm256_unpackhi_epi32(four[2], four[3]) : _mm256_unpacklo_epi32(four[2], four[3]);
    }
    HASHINDEX_UNROLL
    for (std::size_t byte = 0; byte < 8; ++byte, planes += 2 * plane_step) {
        if (byte == n_bytes) return;
        const __m256i a = eights[byte / 2], b = eights[4 + byte / 2];
        const __m256i bytes = byte % 2 ? _mm256_unpackhi_epi64(a, b) : _mm256_unpacklo_epi64(a, b);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(planes), _mm256_and_si256(bytes, nibble));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(planes + plane_step),
                            _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
    }
}

// Per 32 codes and word: 32 loads, 32 shuffles, 24 ands and shifts, 16 stores; besides, where words of codes do not lie
// beside each other, 24 shuffles.
static Found split(const unsigned char* codes, std::size_t code_size, std::size_t count, unsigned char* set) {
    for (std::size_t first = 0; first < plane_step; first += quarter, set += quarter) {
        const unsigned char* rows[quarter];
        for (std::size_t i = 0; i < quarter; ++i)
            rows[i] = codes + (first + i < count ? first + i : count - 1) * code_size;
        __m256i words[8];
        for (std::size_t byte = 0; byte < code_size; byte += 8) {
            const std::size_t n_bytes = code_size - byte < 8 ? code_size - byte : 8;
            HASHINDEX_UNROLL
            for (std::size_t i = 0; i < 8; ++i) {
                if (code_size == 8 && first + quarter <= count)
                    words[i] = _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(rows[16 + 2 * i]),
                                                   reinterpret_cast<const __m128i*>(rows[2 * i]));
                else if (n_bytes == 8) words[i] = words_of_four(rows, 2 * i, byte, 8);
                else words[i] = words_of_four(rows, 2 * i, byte, n_bytes);
            }
            split_words(words, n_bytes, set + 2 * plane_step * byte);
        }
    }
    return {count, isa};
}
