#include "distances.h"

#include <algorithm>

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

void key_differences(const Codes& codes, const std::int64_t* rows, std::size_t n_rows, const Codes& masks,
                     const Kernel& kernel, std::int64_t* counts) {
    constexpr std::size_t n_distances = most_key_bits + 1, n_counters = 2 * n_distances * count_lanes;
    const std::size_t padded = (codes.count + tile_step - 1) / tile_step * tile_step;
    std::vector<std::uint32_t> keys(codes.count), counters(query_step * n_counters);
    std::vector<std::uint64_t> words(padded, 0), zones(padded, 0);
    std::fill(zones.begin() + static_cast<std::ptrdiff_t>(codes.count), zones.end(), n_distances);  // what fills up
    const Tile tile{reinterpret_cast<const unsigned char*>(words.data()), 1, codes.count};
    const std::uint64_t* zones_of_each[query_step];
    std::fill_n(zones_of_each, query_step, zones.data());
    for (std::size_t t = 0; t < masks.count; ++t, counts += n_distances) {
        const std::vector<std::uint64_t> mask = words_of(masks, t, 1, 1);
        kernel.extract(codes.data, codes.code_size, codes.count, mask.data(), keys.data());
        std::copy(keys.begin(), keys.end(), words.begin());
        std::fill(counters.begin(), counters.end(), 0);
        for (std::size_t first = 0; first < n_rows; first += query_step) {
            std::uint64_t queries[query_step] = {};
            std::vector<std::uint32_t> nowhere(first + query_step > n_rows ? n_counters : 0);
            std::uint32_t* own[query_step];
            for (std::size_t q = 0; q < query_step; ++q) {
                const bool is_one = first + q < n_rows;
                own[q] = is_one ? counters.data() + q * n_counters : nowhere.data();
                if (is_one) queries[q] = keys[static_cast<std::size_t>(rows[first + q])];
            }
            kernel.count(tile, queries, zones_of_each, own);
        }
        std::fill_n(counts, n_distances, 0);
        for (std::size_t q = 0; q < query_step; ++q)
            for (std::size_t i = 0; i < n_distances * count_lanes; ++i)
                counts[i / count_lanes] += counters[q * n_counters + i];
    }
}

}  // namespace hashindex
