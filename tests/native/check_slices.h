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

// Widths on both sides of whole chunks; limits on both sides of powers of two.
inline std::size_t check_slices(const Kernel& kernel) {
    if (kernel.slice_step == 0) return 0;
    const BatchTrials trials{6,
                             kernel.slice_step,
                             {48, 63, 64, 65, 127, 128, 129, 256, most_plane_bytes},
                             {1, 33, 255, 256, 257, 557},
                             {257, 557},
                             {63, 64, 65},
                             100};
    return for_each_batch(trials, [&](const BatchCase& c, std::size_t count) {
        return [&kernel, &c, count](const std::vector<std::uint64_t>& limits, std::size_t first, std::size_t step) {
            check_slices(kernel, c, count, limits, first, step);
        };
    });
}

}  // namespace hashindex
