// Batches over planes against the loop over bits, in buffers that end where the codes, planes, keys and hits end: a
// sanitizer sees the first byte too many.
#pragma once

#include <memory>

#include "../../csrc/kernels/kernel.h"
#include "../../csrc/support/aligned_buffer.h"
#include "batch_case.h"

namespace hashindex {

// The first `count` codes as planes, each byte of which is checked.
inline AlignedBuffer<unsigned char> split_codes(const Kernel& kernel, const BatchCase& c, std::size_t count) {
    const std::size_t set_size = plane_step * kernel.planes_per_byte * c.code_size;
    AlignedBuffer<unsigned char> planes((count + plane_step - 1) / plane_step * set_size);
    const std::unique_ptr<unsigned char[]> exact(new unsigned char[count * c.code_size]);
    std::copy_n(c.codes.data(), count * c.code_size, exact.get());
    for (std::size_t i = 0; i < count; i += plane_step) {
        const Found found = kernel.split(exact.get() + i * c.code_size, c.code_size, std::min(plane_step, count - i),
                                         planes.data() + i / plane_step * set_size);
        CHECK(found.isa == kernel.isa && found.count == std::min(plane_step, count - i), "split");
    }
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t byte = 0; byte < c.code_size; ++byte) {
            const unsigned char* plane =
                planes.data() + i / plane_step * set_size + i % plane_step + byte * kernel.planes_per_byte * plane_step;
            const unsigned value = kernel.planes_per_byte == 1 ? plane[0] : plane[0] | unsigned{plane[plane_step]} << 4;
            CHECK(value == c.codes[i * c.code_size + byte], std::string(kernel.isa) + " split");
        }
    return planes;
}

inline void check_planes(const Kernel& kernel, const BatchCase& c, unsigned char* planes, std::size_t count,
                         const std::vector<std::uint64_t>& limits, std::size_t first, std::size_t step) {
    AlignedBuffer<unsigned char> keys(c.padded * c.code_size * kernel.planes_per_byte);
    const std::vector<std::uint64_t> words = words_of(c.of_queries(), 0, c.n_queries, c.padded);
    CHECK(kernel.make_keys(words.data(), c.code_size, c.padded, keys.data()).isa == kernel.isa, "make_keys");
    const PlaneTile tile{planes, c.code_size, c.codes.data(), 0, count};
    check_batch(c, tile, limits, first, step, std::string(kernel.isa) + " planes",
                [&](const PlaneTile& part, const std::uint64_t* own, Hit* hits) {
                    return kernel.within_planes(part, {keys.data(), own, c.padded}, hits);
                });
}

// Widths on both sides of whole chunks; limits on both sides of what a byte holds.
inline std::size_t check_planes(const Kernel& kernel) {
    if (kernel.planes_per_byte == 0) return 0;
    const BatchTrials trials{5,
                             plane_step,
                             {62, 63, 64, 65, 93, 94, 128, 129, 256, most_plane_bytes},
                             {1, 31, 33, 64, 127, 128, 129, 200, 256, 301},
                             {1, 301},
                             {254, 255, 257},
                             32};
    return for_each_batch(trials, [&](const BatchCase& c, std::size_t count) {
        const auto planes = std::make_shared<AlignedBuffer<unsigned char>>(split_codes(kernel, c, count));
        return [&kernel, &c, planes, count](const std::vector<std::uint64_t>& limits, std::size_t first,
                                            std::size_t step) {
            check_planes(kernel, c, planes->data(), count, limits, first, step);
        };
    });
}

}  // namespace hashindex
