// Every kernel against a loop over bits.
//
//   kernels              tests the kernels that this CPU has
//   kernels --force ISA  tests the named kernel without asking the CPU: on one that lacks the ISA the process must die
//                        of an illegal instruction, which proves that the kernel is made of that ISA's instructions
#include "../../csrc/kernels/dispatch.h"

#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference.h"

namespace {

using namespace hashindex;

constexpr std::size_t max_codes = 200;
constexpr std::size_t stride = 256;  // more than needed: a kernel that takes n_codes for the stride reads wrong words
constexpr std::size_t n_shifts = 4;
constexpr Hit untouched = 0xfedcba9876543210u;

// Codes as the kernels want them, with each one's distance from the query.
struct Case {
    std::size_t n_words;
    std::vector<std::uint64_t> query;
    std::vector<unsigned char> bytes[n_shifts];  // the words, word-major, behind 0, 1, ... bytes; nothing behind them
    std::vector<std::uint64_t> distances;
};

// A word of which about this share of the bits is set.
std::uint64_t random_bits(double share, std::mt19937_64& random) {
    const double draw = std::uniform_real_distribution<>()(random);
    if (draw < 2 * share - 1) return ~std::uint64_t{0};
    return draw < 2 * share ? random() : 0;
}

// Code i differs from the query in about share(i) of its bits. Behind the codes lies the query itself, which must
// never be reported.
template <class Share>
Case make_case(std::size_t n_words, std::mt19937_64& random, Share share) {
    Case c;
    c.n_words = n_words;
    for (std::size_t w = 0; w < n_words; ++w) c.query.push_back(random());
    for (std::size_t shift = 0; shift < n_shifts; ++shift) c.bytes[shift].resize(shift + 8 * stride * n_words);
    for (std::size_t i = 0; i < stride; ++i) {
        std::vector<std::uint64_t> code = c.query;
        for (std::uint64_t& word : code) word ^= random_bits(i < max_codes ? share(i) : 0.0, random);
        for (std::size_t shift = 0; shift < n_shifts; ++shift)
            for (std::size_t w = 0; w < n_words; ++w)
                std::memcpy(c.bytes[shift].data() + shift + 8 * (w * stride + i), &code[w], 8);
        c.distances.push_back(slow_distance(reinterpret_cast<const unsigned char*>(code.data()),
                                            reinterpret_cast<const unsigned char*>(c.query.data()), 8 * n_words));
    }
    return c;
}

void check_tile(const Kernel& kernel, const Case& c, std::size_t n_codes, std::uint32_t radius) {
    const std::size_t shift = n_codes % n_shifts;
    const Tile tile = {c.bytes[shift].data() + shift, stride, c.n_words, n_codes};
    std::vector<Hit> hits(n_codes + 1, untouched);
    const Found found = kernel.within(tile, c.query.data(), radius, hits.data());

    const auto context = [&] {
        return std::string(kernel.isa) + " n_words=" + std::to_string(c.n_words) +
               " n_codes=" + std::to_string(n_codes) + " radius=" + std::to_string(radius);
    };
    CHECK(found.isa == kernel.isa, context());
    CHECK(hits[n_codes] == untouched, context());
    std::size_t count = 0;
    for (std::size_t i = 0; i < n_codes; ++i) {
        if (c.distances[i] > radius) continue;
        CHECK(count < found.count && hits[count] == make_hit(c.distances[i], i), context());
        ++count;
    }
    CHECK(found.count == count, context());
}

std::size_t check_case(const Kernel& kernel, const Case& c) {
    const auto max = static_cast<std::uint32_t>(64 * c.n_words);
    const std::uint32_t radii[] = {0, 1, max / 8, max / 2 - 3, max / 2, max - 1, max, max + 1, 2147483647u};
    std::size_t n_checks = 0;
    for (std::size_t n_codes = 0; n_codes <= max_codes; ++n_codes) {
        if (c.n_words > 16 && n_codes > 40 && n_codes % 53 != 0) continue;  // every tail of 32 was there
        for (const std::uint32_t radius : radii) {
            check_tile(kernel, c, n_codes, radius);
            ++n_checks;
        }
    }
    return n_checks;
}

void check_kernel(const Kernel& kernel) {
    std::mt19937_64 random(1);
    std::size_t n_checks = 0;
    for (const std::size_t n_words : {1u, 2u, 3u, 4u, 5u, 6u, 16u, 1024u}) {
        const Case uniform = make_case(n_words, random, [](std::size_t) { return 0.5; });
        const Case many_equal = make_case(n_words, random, [](std::size_t i) { return i % 7 == 6 ? 0.5 : 0.0; });
        const Case all_distances = make_case(
            n_words, random, [](std::size_t i) { return static_cast<double>(i * 37 % max_codes) / (max_codes - 1); });
        n_checks += check_case(kernel, uniform) + check_case(kernel, many_equal) + check_case(kernel, all_distances);
    }
    std::printf("%s: %zu tiles equal to the loop over bits\n", kernel.isa, n_checks);
}

const Kernel* kernel_by_name(const std::string& isa) {
    const Kernel* const kernels[] = {
#if defined(__x86_64__)
        &avx512_kernel, &avx2_kernel, &popcnt_kernel,
#elif defined(__aarch64__)
        &neon_kernel,
#endif
        &scalar_kernel};
    for (const Kernel* kernel : kernels)
        if (isa == kernel->isa) return kernel;
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
