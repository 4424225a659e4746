// Batches bit by bit against the loop over bits, in buffers that end where the codes, keys and hits end: a sanitizer
// sees the first byte too many.
#pragma once

#include <memory>

#include "../../csrc/kernels/kernel.h"
#include "batch_case.h"

namespace hashindex {

inline void check_slices(const Kernel& kernel, const BatchCase& c, std::size_t count,
                         const std::vector<std::uint64_t>& limits, std::size_t first, std::size_t step) {
    const std::unique_ptr<unsigned char[]> codes(new unsigned char[count * c.code_size]);
    std::copy_n(c.codes.data(), count * c.code_size, codes.get());
    const std::unique_ptr<std::uint16_t[]> keys(new std::uint16_t[c.padded * slice_keys(c.code_size)]);
    const std::vector<std::uint64_t> words = words_of(c.of_queries(), 0, c.n_queries, c.padded);
    CHECK(kernel.make_slice_keys(words.data(), c.code_size, c.padded, keys.get()).isa == kernel.isa, "make_slice_keys");
    const CodeRun run{codes.get(), c.code_size, count, kernel.slice_step};
    check_batch(c, run, limits, first, step, std::string(kernel.isa) + " slices",
                [&](const CodeRun& part, const std::uint64_t* own, Hit* hits) {
                    return kernel.within_slices(part, {keys.get(), words.data(), own, c.padded}, hits);
                });
}

// Every width up to 40 bytes and wider ones on both sides of whole chunks; limits on both sides of powers of two.
inline std::size_t check_slices(const Kernel& kernel) {
    if (kernel.slice_step == 0) return 0;
    std::mt19937_64 random(6);
    std::vector<std::size_t> code_sizes{48, 63, 64, 65, 127, 128, 129, 256, most_plane_bytes};
    for (std::size_t size = 1; size <= 40; ++size) code_sizes.push_back(size);
    std::size_t n_checks = 0;
    for (const std::size_t code_size : code_sizes) {
        const std::uint64_t max = 8 * code_size;
        const std::vector<std::uint64_t> limits{max + 1, 0,  256, max / 2, 0,   1,       max, 63,
                                                64,      65, 0,   0,       128, max / 3, 255, std::uint64_t{1} << 31};
        for (const std::size_t n_queries : {1u, 5u, 8u}) {
            const BatchCase c(kernel.slice_step, code_size, n_queries, random);
            for (const std::size_t count : {1u, 33u, 255u, 256u, 257u, 557u}) {
                if (code_size > 256 && count % 100 != 57) continue;
                for (std::size_t first = 0; first < limits.size(); first += n_queries == 1 ? 1 : 3)
                    for (const std::size_t step : {std::size_t{100}, count}) {
                        check_slices(kernel, c, std::min(count, c.n_codes), limits, first, step);
                        ++n_checks;
                    }
            }
        }
    }
    const BatchCase full(kernel.slice_step, 33, max_block_queries, random);
    for (const std::uint64_t limit : {130u, 255u, 265u})
        check_slices(kernel, full, full.n_codes, {limit, limit + 1}, 0, 96);
    return n_checks + 3;
}

}  // namespace hashindex
