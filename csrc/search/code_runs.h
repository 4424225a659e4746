// Runs of codes as they lie in memory, for kernels that turn them themselves.
#pragma once

#include <algorithm>

#include "turning.h"

namespace hashindex {

class CodeRuns {
public:
    // Measured on Zen 3.
    static bool pays(const Codes& codes, std::size_t count, std::size_t n_queries, const Kernel& kernel) {
        return kernel.slice_step && turning_pays(codes, count, n_queries, 10);
    }

    // Where more than one in so many is a hit, slices take longer: they count each hit once more.
    static constexpr std::size_t codes_per_hit = 32;

    // How many codes stay as they are while a search for the nearest finds its limits: of small steps whole sets would
    // be counted, and until then many codes are hits.
    static std::size_t unsettled(std::size_t first_step, std::size_t count, const Kernel& kernel) {
        return first_step < count ? std::min(std::max(2 * kernel.slice_step, codes_per_hit * first_step), count) : 0;
    }

    CodeRuns(const Codes& codes, const Kernel& kernel) : codes_(codes), step_(kernel.slice_step) {}

    std::size_t capacity() const { return 16 * step_; }

    // Codes [first, first + count), count <= capacity.
    CodeRun run(std::size_t first, std::size_t count) { return {codes_.row(first), codes_.code_size, count, step_}; }

private:
    const Codes codes_;
    const std::size_t step_;
};

}  // namespace hashindex
