#include "distances.h"

namespace hashindex {

void distances_between(const Codes& a, const Codes& b, const Kernel& kernel, std::int32_t* distances) {
    const std::uint64_t beyond = 8 * a.code_size + 1;  // below which is every code: a hit each, in their order
    std::vector<Hit> hits(b.count);
    for (std::size_t i = 0; i < a.count; ++i, distances += b.count) {
        const std::vector<std::uint64_t> words = words_of(a, i, 1, 1);
        kernel.within_run(b.data, b.code_size, b.count, b.count, words.data(), beyond, hits.data());
        for (std::size_t j = 0; j < b.count; ++j) distances[j] = static_cast<std::int32_t>(hit_distance(hits[j]));
    }
}

}  // namespace hashindex
