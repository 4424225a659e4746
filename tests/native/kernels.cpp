// Every kernel against a loop over bits.
//
//   kernels              tests the kernels that this CPU has
//   kernels --force ISA  tests the named kernel without asking the CPU: on one that lacks the ISA the process must die
//                        of an illegal instruction, which proves that the kernel is made of that ISA's instructions
#include "../../csrc/kernels/dispatch.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_planes.h"
#include "check_runs.h"
#include "check_slices.h"
#include "reference.h"

namespace {

using namespace hashindex;

constexpr std::size_t max_codes = 200;
constexpr std::size_t padded_codes = 224;
constexpr std::size_t n_queries = 8;
constexpr Hit untouched = 0xfedcba9876543210u;

// Codes of `code_size` bytes, queries as words, and every distance.
struct Case {
    std::size_t code_size, n_words;
    std::vector<unsigned char> codes;      // max_codes of them, then some bytes that belong to no code
    std::vector<std::uint64_t> queries;    // n_queries rows of n_words
    std::vector<std::uint64_t> distances;  // (n_queries, max_codes)
};

std::uint64_t slow_popcount(std::uint64_t bits) {
    std::uint64_t count = 0;
    for (; bits; bits >>= 1) count += bits & 1;
    return count;
}

std::vector<std::uint64_t> words_of_code(const unsigned char* code, std::size_t code_size) {
    std::vector<std::uint64_t> words((code_size + 7) / 8, 0);
    for (std::size_t i = 0; i < code_size; ++i) words[i / 8] |= std::uint64_t{code[i]} << (8 * (i % 8));
    return words;
}

// Code i differs from the first query in about share(i) of its bytes; the other queries are random.
template <class Share>
Case make_case(std::size_t code_size, std::mt19937_64& random, Share share) {
    Case c{code_size, (code_size + 7) / 8, {}, {}, {}};
    std::vector<unsigned char> first(code_size);
    for (unsigned char& byte : first) byte = static_cast<unsigned char>(random());
    std::uniform_real_distribution<> draw;
    for (std::size_t i = 0; i < max_codes; ++i)
        for (std::size_t byte = 0; byte < code_size; ++byte)
            c.codes.push_back(draw(random) < share(i) ? static_cast<unsigned char>(random()) : first[byte]);
    c.codes.resize(c.codes.size() + 64, 0xa5);
    for (std::size_t q = 0; q < n_queries; ++q) {
        for (const std::uint64_t word : words_of_code(first.data(), code_size)) c.queries.push_back(word);
        for (unsigned char& byte : first) byte = static_cast<unsigned char>(random());
    }
    for (std::size_t q = 0; q < n_queries; ++q) {
        for (std::size_t i = 0; i < max_codes; ++i) {
            const std::vector<std::uint64_t> words = words_of_code(c.codes.data() + i * code_size, code_size);
            std::uint64_t distance = 0;
            for (std::size_t w = 0; w < c.n_words; ++w)
                distance += slow_popcount(words[w] ^ c.queries[q * c.n_words + w]);
            c.distances.push_back(distance);
        }
    }
    return c;
}

std::string context(const Kernel& kernel, const Case& c, std::size_t n_codes, std::uint64_t limit) {
    return std::string(kernel.isa) + " code_size=" + std::to_string(c.code_size) +
           " n_codes=" + std::to_string(n_codes) + " limit=" + std::to_string(limit);
}

// The tile of the first n_codes, `shift` bytes behind an aligned address, rubbish where there are no codes.
std::vector<unsigned char> make_tile(const Kernel& kernel, const Case& c, std::size_t n_codes, std::size_t shift) {
    std::vector<std::uint64_t> words(padded_codes * c.n_words, 0x5a5a5a5a5a5a5a5au);
    for (std::size_t i = 0; i < n_codes; i += tile_step) {
        const Found found = kernel.transpose(c.codes.data() + i * c.code_size, c.code_size,
                                             std::min(tile_step, n_codes - i), words.data() + i * c.n_words);
        CHECK(found.isa == kernel.isa, "transpose");
    }
    for (std::size_t i = 0; i < n_codes; ++i) {
        const std::vector<std::uint64_t> code = words_of_code(c.codes.data() + i * c.code_size, c.code_size);
        for (std::size_t w = 0; w < c.n_words; ++w)
            CHECK(words[i / tile_step * tile_step * c.n_words + w * tile_step + i % tile_step] == code[w],
                  context(kernel, c, n_codes, 0) + " transpose");
    }
    std::vector<unsigned char> bytes(shift + 8 * words.size());
    std::memcpy(bytes.data() + shift, words.data(), 8 * words.size());
    return bytes;
}

void check_scan(const Kernel& kernel, const Case& c, std::size_t n_codes, std::uint64_t first_limit) {
    const std::string which = context(kernel, c, n_codes, first_limit);
    const std::size_t shift = n_codes % 4;
    const std::vector<unsigned char> bytes = make_tile(kernel, c, n_codes, shift);
    std::vector<std::uint64_t> limits;  // every query has its own; 0 wants nothing
    for (std::size_t q = 0; q < n_queries; ++q) limits.push_back(q % 3 == 2 ? 0 : first_limit + q);
    std::vector<Hit> hits(n_codes * n_queries + 1, untouched);
    const Found found = kernel.within({bytes.data() + shift, c.n_words, n_codes},
                                      {c.queries.data(), limits.data(), n_queries}, hits.data());
    CHECK(found.isa == kernel.isa, which);
    CHECK(hits.back() == untouched || found.count == hits.size() - 1, which);
    std::vector<std::vector<Hit>> by_query(n_queries);
    for (std::size_t i = 0; i < found.count; ++i) by_query[hit_query(hits[i])].push_back(without_query(hits[i]));
    for (std::size_t q = 0; q < n_queries; ++q) {
        std::vector<Hit> expected;
        for (std::size_t i = 0; i < n_codes; ++i)
            if (c.distances[q * max_codes + i] < limits[q])
                expected.push_back(make_hit(c.distances[q * max_codes + i], i));
        CHECK(by_query[q] == expected, which);
    }
}

// count: codes in three zones; what fills up the last group lies in the third, where nothing is asked.
void check_count(const Kernel& kernel, const Case& c, std::size_t n_codes, std::mt19937_64& random) {
    const std::string which = context(kernel, c, n_codes, 0) + " count";
    const std::size_t shift = n_codes % 4, n_keys = 64 * c.n_words + 1;
    const std::vector<unsigned char> bytes = make_tile(kernel, c, n_codes, shift);
    for (std::size_t first = 0; first < n_queries; first += query_step) {
        std::vector<std::vector<std::uint64_t>> zones(query_step, std::vector<std::uint64_t>(padded_codes, 2 * n_keys));
        std::vector<std::vector<std::uint32_t>> counts(query_step,
                                                       std::vector<std::uint32_t>(3 * n_keys * count_lanes, 5));
        std::vector<std::vector<std::uint64_t>> expected(query_step,
                                                         std::vector<std::uint64_t>(2 * n_keys, 5 * count_lanes));
        const std::uint64_t* zones_of[query_step];
        std::uint32_t* counts_of[query_step];
        for (std::size_t q = 0; q < query_step; ++q) {
            zones_of[q] = zones[q].data();
            counts_of[q] = counts[q].data();
            for (std::size_t i = 0; i < n_codes; ++i) {
                zones[q][i] = random() % 2 * n_keys;
                ++expected[q][c.distances[(first + q) * max_codes + i] + zones[q][i]];
            }
        }
        const Found found = kernel.count({bytes.data() + shift, c.n_words, n_codes},
                                         c.queries.data() + first * c.n_words, zones_of, counts_of);
        CHECK(found.isa == kernel.isa && found.count == n_codes, which);
        for (std::size_t q = 0; q < query_step; ++q)
            for (std::size_t key = 0; key < 2 * n_keys; ++key) {
                std::uint64_t sum = 0;
                for (std::size_t lane = 0; lane < count_lanes; ++lane) sum += counts[q][key * count_lanes + lane];
                CHECK(sum == expected[q][key], which);
            }
    }
}

void check_mark(const Kernel& kernel, std::mt19937_64& random) {
    for (const std::size_t n_words : {1u, 2u, 5u})
        for (std::size_t count = 0; count <= max_codes; count += 1 + count / 9)
            for (const bool shared : {false, true}) {
                const std::size_t stride = max_codes + 3;
                std::vector<std::uint32_t> words(n_words * stride), wanted(n_words);
                for (std::uint32_t& word : words) word = shared ? std::uint32_t{1} << random() % 32 : random() % 4 == 0;
                for (std::uint32_t& word : wanted)
                    word = static_cast<std::uint32_t>(shared ? random() & random() & random() : 0);
                std::vector<std::uint64_t> zones(max_codes + 1, untouched);
                const Found found =
                    kernel.mark({words.data(), stride, count, n_words, shared}, wanted.data(), 3, 7, zones.data());
                const std::string which = std::string(kernel.isa) + " mark count=" + std::to_string(count);
                CHECK(found.isa == kernel.isa && zones[count] == untouched, which);
                for (std::size_t i = 0; i < count; ++i) {
                    bool in_common = false, differ = false;
                    for (std::size_t w = 0; w < n_words; ++w) {
                        in_common |= (words[w * stride + i] & wanted[w]) != 0;
                        differ |= words[w * stride + i] != wanted[w];
                    }
                    CHECK(zones[i] == ((shared ? in_common : !differ) ? 7u : 3u), which);
                }
            }
}

// measure, drop_seen and extract of single codes; filter where codes have one word.
void check_candidates(const Kernel& kernel, const Case& c, std::mt19937_64& random) {
    const std::string which = context(kernel, c, max_codes, 0);
    std::vector<Candidate> candidates;
    for (std::uint32_t i = 0; i < 300; ++i)
        candidates.push_back(
            {static_cast<std::uint32_t>(random() % n_queries), static_cast<std::uint32_t>(random() % max_codes)});
    std::vector<std::uint32_t> distances(candidates.size());
    CHECK(kernel.measure(c.codes.data(), c.code_size, candidates.data(), candidates.size(), c.queries.data(),
                         distances.data())
                  .isa == kernel.isa,
          which);
    for (std::size_t i = 0; i < candidates.size(); ++i)
        CHECK(distances[i] == c.distances[candidates[i].query * max_codes + candidates[i].place], which + " measure");
    {
        std::vector<std::uint64_t> limits(n_queries);  // from below all to beyond all, most of them in the midst
        for (std::uint64_t& limit : limits) limit = distances[random() % distances.size()] * (random() % 4) / 2;
        std::vector<Candidate> near = candidates;
        std::vector<std::uint32_t> near_distances(candidates.size());
        const Found found = kernel.keep_near(c.codes.data(), c.code_size, near.data(), near.size(), c.queries.data(),
                                             limits.data(), near_distances.data());
        CHECK(found.isa == kernel.isa, which);
        std::size_t n = 0;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (distances[i] >= limits[candidates[i].query]) continue;
            CHECK(n < found.count && near[n].place == candidates[i].place && near[n].query == candidates[i].query &&
                      near_distances[n] == distances[i],
                  which + " keep_near");
            ++n;
        }
        CHECK(found.count == n, which + " keep_near");
    }

    constexpr std::size_t n_tables = 3;
    std::vector<std::uint64_t> masks;
    for (std::size_t i = 0; i < n_tables * c.n_words; ++i) masks.push_back(random() & random() & random());
    const std::int32_t shown[n_tables] = {1, -1, 3};
    const auto flips = [&](const Candidate& candidate, std::size_t t) {
        const std::vector<std::uint64_t> code =
            words_of_code(c.codes.data() + candidate.place * c.code_size, c.code_size);
        std::uint64_t count = 0;
        for (std::size_t w = 0; w < c.n_words; ++w)
            count += slow_popcount((code[w] ^ c.queries[candidate.query * c.n_words + w]) & masks[t * c.n_words + w]);
        return count;
    };
    for (std::size_t table = 0; table < n_tables; ++table) {
        std::vector<Candidate> kept = candidates;
        std::vector<std::uint32_t> kept_distances = distances;
        const Found found = kernel.drop_seen(c.codes.data(), c.code_size, kept.data(), kept_distances.data(),
                                             kept.size(), c.queries.data(), masks.data(), shown, n_tables, table);
        CHECK(found.isa == kernel.isa, which);
        std::size_t n = 0;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if ((table != 0 && flips(candidates[i], 0) <= 1) || (table != 2 && flips(candidates[i], 2) <= 3)) continue;
            CHECK(n < found.count && kept[n].place == candidates[i].place && kept[n].query == candidates[i].query &&
                      kept_distances[n] == distances[i],
                  which + " drop_seen");
            ++n;
        }
        CHECK(n == found.count, which + " drop_seen");
    }

    std::vector<std::uint64_t> mask(c.n_words, 0);
    for (int bit = 0; bit < 30; ++bit) mask[random() % c.n_words] |= std::uint64_t{1} << random() % 64;
    std::vector<std::uint32_t> keys(max_codes);
    CHECK(kernel.extract(c.codes.data(), c.code_size, max_codes, mask.data(), keys.data()).isa == kernel.isa, which);
    for (std::size_t i = 0; i < max_codes; ++i) {
        const std::vector<std::uint64_t> code = words_of_code(c.codes.data() + i * c.code_size, c.code_size);
        std::uint32_t key = 0, place = 0;
        for (std::size_t bit = 0; bit < 64 * c.n_words; ++bit)
            if (mask[bit / 64] >> bit % 64 & 1)
                key |= static_cast<std::uint32_t>(code[bit / 64] >> bit % 64 & 1) << place++;
        CHECK(keys[i] == key, which + " extract");
    }

    if (c.n_words != 1) return;
    std::vector<std::uint64_t> copies, limits;
    for (std::size_t i = 0; i < max_codes; ++i)
        copies.push_back(words_of_code(c.codes.data() + i * c.code_size, c.code_size)[0]);
    for (std::size_t q = 0; q < n_queries; ++q) limits.push_back(random() % 65);
    std::vector<Bucket> buckets;
    for (std::uint32_t begin = 0; begin < max_codes; begin += 7)
        for (std::uint32_t size = 0; size <= 20 && begin + size <= max_codes; ++size)
            buckets.push_back({begin, begin + size, static_cast<std::uint32_t>(random() % n_queries)});
    std::vector<Candidate> near(buckets.size() * 20 + 8);
    std::vector<std::uint32_t> near_distances(near.size());
    const Found found = kernel.filter(buckets.data(), buckets.size(), copies.data(), c.queries.data(), limits.data(),
                                      near.data(), near_distances.data());
    CHECK(found.isa == kernel.isa, which);
    std::size_t n = 0;
    for (const Bucket& bucket : buckets) {
        for (std::uint32_t place = bucket.begin; place < bucket.end; ++place) {
            const std::uint64_t distance = c.distances[bucket.query * max_codes + place];
            if (distance >= limits[bucket.query]) continue;
            CHECK(n < found.count && near[n].place == place && near[n].query == bucket.query &&
                      near_distances[n] == distance,
                  which + " filter");
            ++n;
        }
    }
    CHECK(n == found.count, which + " filter");
}

std::size_t check_case(const Kernel& kernel, const Case& c, std::mt19937_64& random) {
    const std::uint64_t max = 8 * c.code_size;
    std::size_t n_checks = 0;
    for (std::size_t n_codes = 0; n_codes <= max_codes; ++n_codes) {
        if (n_codes > 70 && n_codes % 13 != 5) continue;  // every tail of 32 was there
        if (c.code_size > 128 && n_codes % 31 > 1) continue;
        for (const std::uint64_t limit : {std::uint64_t{0}, std::uint64_t{1}, max / 8, max / 2 - 1, max / 2 + 1, max,
                                          max + 1, std::uint64_t{1} << 31}) {
            check_scan(kernel, c, n_codes, limit);
            ++n_checks;
        }
        check_count(kernel, c, n_codes, random);
    }
    check_candidates(kernel, c, random);
    return n_checks;
}

void check_kernel(const Kernel& kernel) {
    std::mt19937_64 random(1);
    std::size_t n_checks = 0;
    check_mark(kernel, random);
    for (const std::size_t code_size : {1u, 3u, 6u, 8u, 11u, 16u, 24u, 32u, 39u, 64u, 66u, 128u, 8192u}) {
        const Case uniform = make_case(code_size, random, [](std::size_t) { return 1.0; });
        const Case many_equal = make_case(code_size, random, [](std::size_t i) { return i % 7 == 6 ? 1.0 : 0.0; });
        const Case all_distances = make_case(
            code_size, random, [](std::size_t i) { return static_cast<double>(i * 37 % max_codes) / (max_codes - 1); });
        n_checks += check_case(kernel, uniform, random) + check_case(kernel, many_equal, random) +
                    check_case(kernel, all_distances, random);
    }
    const std::size_t n_runs = check_runs(kernel), n_batches = check_planes(kernel) + check_slices(kernel);
    std::printf("%s: %zu scans, %zu runs and %zu batches over planes or slices equal to the loop over bits\n",
                kernel.isa, n_checks, n_runs, n_batches);
}

const Kernel* kernel_by_name(const std::string& isa) {
    for (const Compiled& one : compiled_kernels())
        if (isa == one.kernel->isa) return one.kernel;
    return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string(argv[1]) == "--force") {
        const Kernel* kernel = kernel_by_name(argv[2]);
        CHECK(kernel != nullptr, "no kernel of that name was compiled");
        check_kernel(*kernel);
        return 0;
    }
    CHECK(argc == 1, "usage: kernels [--force ISA]");
    const std::vector<const Kernel*> kernels = available_kernels();
    CHECK(kernels.back() == &scalar_kernel, "scalar comes last");
    for (const Kernel* kernel : kernels) {
        CHECK(&find_kernel(kernel->isa) == kernel, kernel->isa);
        check_kernel(*kernel);
    }
    bool refused = false;
    try {
        find_kernel("mmx");
    } catch (const std::invalid_argument&) {
        refused = true;
    }
    CHECK(refused, "an unknown ISA must throw");
    return 0;
}
