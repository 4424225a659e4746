// One 64-bit word at a time, for the ISAs without a vector popcount. Needs popcount(std::uint64_t) in scope.

using Vector = std::uint64_t;
constexpr std::size_t lanes = 1;

constexpr std::size_t at_once = 1;

static inline Vector broadcast(std::uint64_t value) { return value; }
static inline Vector load(const unsigned char* words) { return load_word(words); }
static inline void store(std::uint64_t* to, Vector value) { *to = value; }
static inline Vector add(Vector a, Vector b) { return a + b; }
static inline Vector both(Vector a, Vector b) { return a & b; }
static inline Vector popcount_xor(Vector a, Vector b) { return popcount(a ^ b); }
static inline Vector sum_neighbours(const Vector* v, std::size_t) { return v[0]; }
static inline bool any_below(Vector d0, Vector d1, Vector d2, Vector d3, Vector limit) {
    return static_cast<std::int64_t>((d0 - limit) | (d1 - limit) | (d2 - limit) | (d3 - limit)) < 0;
}

static inline Hit* write_hits(Hit* end, Vector d0, Vector d1, Vector d2, Vector d3, Vector limit, std::size_t query,
                              std::size_t first, std::size_t n_codes) {
    const Vector distances[4] = {d0, d1, d2, d3};
    for (std::size_t i = 0; i < 4 && first + i < n_codes; ++i) {  // no branch: which ones are near is anyone's guess
        *end = std::uint64_t{query} << query_shift | make_hit(distances[i], first + i);
        end += distances[i] < limit;
    }
    return end;
}
