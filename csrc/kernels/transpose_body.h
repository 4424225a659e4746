// Codes into a group of a tile, column after column: 1 load and 1 store per word. Needs isa in scope.

static Found transpose(const unsigned char* codes, std::size_t code_size, std::size_t count, std::uint64_t* group) {
    const std::size_t n_whole = code_size / 8;
    for (std::size_t w = 0; w < n_whole; ++w, group += tile_step)
        for (std::size_t i = 0; i < count; ++i) group[i] = load_word(codes + i * code_size + 8 * w);
    for (std::size_t i = 0; code_size % 8 && i < count; ++i)
        group[i] = load_last(codes + i * code_size + 8 * n_whole, code_size % 8);
    return {count, isa};
}
