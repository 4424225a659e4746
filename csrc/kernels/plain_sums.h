// Popcounts of several vectors added up one by one.

static inline __attribute__((always_inline)) Vector sum_vectors(const unsigned char* a, const unsigned char* b,
                                                                const std::size_t n_vectors) {
    Vector sum = popcount_xor(load(a), load(b));
    for (std::size_t i = 1; i < n_vectors; ++i)
        sum = add(sum, popcount_xor(load(a + 8 * lanes * i), load(b + 8 * lanes * i)));
    return sum;
}
