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

void distances_by_rank(const Codes& codes, const std::int64_t* rows, std::size_t n_rows, std::size_t n_ranks,
                       const Kernel& kernel, double* found) {
    std::vector<std::int32_t> distances(codes.count);
    for (std::size_t i = 0; i < n_rows; ++i, found += n_ranks) {
        const Codes one{codes.row(static_cast<std::size_t>(rows[i])), 1, codes.code_size};
        distances_between(one, codes, kernel, distances.data());
        std::vector<std::size_t> counts(8 * codes.code_size + 1, 0);
        for (const std::int32_t distance : distances) ++counts[static_cast<std::size_t>(distance)];
        std::size_t rank = 0, within = 0;
        for (std::size_t distance = 0; distance < counts.size(); ++distance) {
            within += counts[distance];  // itself among them
            for (; rank < n_ranks && within > std::size_t{1} << rank; ++rank)
                found[rank] = static_cast<double>(distance);
        }
    }
}

}  // namespace hashindex
