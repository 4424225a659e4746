// One 64-bit word at a time, for the ISAs without a vector popcount. Needs popcount(std::uint64_t) in scope.

using Vector = std::uint64_t;
constexpr std::size_t lanes = 1;

constexpr std::size_t at_once = 1;

static inline Vector broadcast(std::uint64_t value) { return value; }
static inline Vector load(const unsigned char* words) { return load_word(words); }
static inline void store(std::uint64_t* to, Vector value) { *to = value; }
static inline Vector add(Vector a, Vector b) { return a + b; }
static inline Vector popcount_xor(Vector a, Vector b) { return popcount(a ^ b); }
static inline std::uint64_t which_below(Vector distance, Vector limit) { return distance < limit; }
static inline bool any_below(Vector d0, Vector d1, Vector d2, Vector d3, Vector limit) {
    return (d0 < limit) | (d1 < limit) | (d2 < limit) | (d3 < limit);
}
