// Turns runs of codes into sets of planes, where many queries share them.
#pragma once

#include <algorithm>

#include "../support/aligned_buffer.h"
#include "turning.h"

namespace hashindex {

class PlaneBuffer {
public:
    // Measured on Granite Rapids.
    static bool pays(const Codes& codes, std::size_t count, std::size_t n_queries, const Kernel& kernel) {
        return kernel.planes_per_byte && turning_pays(codes, count, n_queries, 5);
    }

    PlaneBuffer(const Codes& codes, const Kernel& kernel)
        : codes_(codes),
          kernel_(kernel),
          set_size_(plane_step * kernel.planes_per_byte * codes.code_size),
          n_sets_(std::clamp<std::size_t>((std::size_t{16} << 10) / set_size_, 1, 8)),
          planes_(n_sets_ * set_size_) {}

    std::size_t capacity() const { return n_sets_ * plane_step; }

    // Codes [first, first + count), count <= capacity.
    PlaneTile run(std::size_t first, std::size_t count) {
        const unsigned char* code = codes_.row(first);
        unsigned char* set = planes_.data();
        for (std::size_t i = 0; i < count; i += plane_step, code += plane_step * codes_.code_size, set += set_size_)
            kernel_.split(code, codes_.code_size, std::min(plane_step, count - i), set);
        return {planes_.data(), codes_.code_size, code, 0, count};
    }

private:
    const Codes codes_;
    const Kernel& kernel_;
    const std::size_t set_size_, n_sets_;
    AlignedBuffer<unsigned char> planes_;
};

}  // namespace hashindex
