// Runs of codes as they lie in memory, for kernels that turn them themselves.
#pragma once

#include <algorithm>

#include "../kernels/kernel.h"
#include "codes.h"

namespace hashindex {

class CodeRuns {
public:
    // Whether `count` of the codes are worth slicing for so many queries (measured on Zen 3).
    static bool pays(const Codes& codes, std::size_t count, std::size_t n_queries, const Kernel& kernel) {
        const std::size_t least_queries = codes.code_size == 8 ? 12 : 10, least_codes = 512;
        return kernel.slice_step && codes.code_size <= most_plane_bytes && n_queries >= least_queries &&
               count >= least_codes;
    }

    CodeRuns(const Codes& codes, const Kernel& kernel) : codes_(codes), step_(kernel.slice_step) {}

    std::size_t capacity() const { return 4 * step_; }

    // Codes [first, first + count), count <= capacity.
    CodeRun run(std::size_t first, std::size_t count) { return {codes_.row(first), codes_.code_size, count, step_}; }

private:
    const Codes codes_;
    const std::size_t step_;
};

}  // namespace hashindex
