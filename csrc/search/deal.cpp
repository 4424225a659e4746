// Numbers here are float64, rounded after each operation as NumPy rounds them: CMakeLists.txt keeps compilers from
// fusing two into one.
#include "deal.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "distances.h"

namespace hashindex {
namespace {

constexpr double least_deviation = 1e-6;

// 8 bytes of 8 bits: bit r of byte j becomes bit j of byte r (Warren, Hacker's Delight, section 7-3).
std::uint64_t turned(std::uint64_t bytes) {
    std::uint64_t swapped = (bytes ^ (bytes >> 7)) & 0x00aa00aa00aa00aau;
    bytes ^= swapped ^ (swapped << 7);
    swapped = (bytes ^ (bytes >> 14)) & 0x0000cccc0000ccccu;
    bytes ^= swapped ^ (swapped << 14);
    swapped = (bytes ^ (bytes >> 28)) & 0x00000000f0f0f0f0u;
    return bytes ^ swapped ^ (swapped << 28);
}

// Each bit of the sampled codes as a column, packed like a code of one bit per sampled code. Columns of pad bits stand
// behind the others; in each, zeros follow up to a whole word.
class Columns {
public:
    Columns(const Codes& codes, std::size_t step)
        : n_codes_((codes.count + step - 1) / step),
          size_(std::max<std::size_t>((n_codes_ + 63) / 64, 1) * 8),
          bytes_(8 * codes.code_size * size_, 0) {
        for (std::size_t group = 0; 8 * group < n_codes_; ++group) {
            const std::size_t first = 8 * group, n = std::min<std::size_t>(8, n_codes_ - first);
            const unsigned char* const rows = codes.row(first * step);
            for (std::size_t byte = 0; byte < codes.code_size; ++byte) {
                std::uint64_t eight = 0;
                for (std::size_t i = 0; i < n; ++i)
                    eight |= std::uint64_t{rows[i * step * codes.code_size + byte]} << (8 * i);
                eight = turned(eight);
                unsigned char* const columns = bytes_.data() + 8 * byte * size_ + group;
                for (std::size_t bit = 0; bit < 8; ++bit)  // the first bit is the most significant
                    columns[bit * size_] = static_cast<unsigned char>(eight >> (8 * (7 - bit)));
            }
        }
    }

    std::size_t n_codes() const { return n_codes_; }
    std::size_t size() const { return size_; }  // bytes of a column
    const unsigned char* column(std::size_t bit) const { return bytes_.data() + bit * size_; }

private:
    std::size_t n_codes_, size_;
    std::vector<unsigned char> bytes_;
};

// In which share of the sampled codes a bit is set, and how much that says.
struct Told {
    double share, deviation;
};

std::vector<Told> told_by(const Columns& columns, std::size_t n_bits, const Kernel& kernel) {
    const std::vector<unsigned char> zeros(columns.size(), 0);
    std::vector<std::int32_t> counts(n_bits);
    distances_between({zeros.data(), 1, columns.size()}, {columns.column(0), n_bits, columns.size()}, kernel,
                      counts.data());
    std::vector<Told> told(n_bits);
    for (std::size_t bit = 0; bit < n_bits; ++bit) {
        const double share = columns.n_codes() ? counts[bit] / static_cast<double>(columns.n_codes()) : 0.5;
        told[bit] = {share, std::sqrt(share * (1 - share))};
    }
    return told;
}

// The `most` bits that tell most, in thousandths; of those that tell as much, the first.
std::vector<std::size_t> telling(const std::vector<Told>& told, std::size_t most) {
    std::vector<double> rounded(told.size());
    for (std::size_t bit = 0; bit < told.size(); ++bit) rounded[bit] = std::rint(told[bit].deviation * 1000) / 1000;
    std::vector<std::size_t> bits(told.size());
    std::iota(bits.begin(), bits.end(), std::size_t{0});
    std::stable_sort(bits.begin(), bits.end(), [&](std::size_t a, std::size_t b) { return rounded[a] > rounded[b]; });
    bits.resize(most);
    return bits;
}

// How much two bits tell of each other, 0 to 1, that differ in so many of the codes.
double correlation(const Told& a, const Told& b, std::int32_t n_differing, std::size_t n_codes) {
    const double differ = n_differing / static_cast<double>(std::max<std::size_t>(n_codes, 1));
    const double both = (b.share + a.share - differ) / 2;
    const double spread = std::max(a.deviation, least_deviation) * std::max(b.deviation, least_deviation);
    return std::abs(both - a.share * b.share) / spread;
}

}  // namespace

void deal(const Codes& codes, const Dealing& dealing, const Kernel& kernel, unsigned char* masks) {
    const Columns columns(codes, dealing.step);
    const std::vector<Told> told = told_by(columns, dealing.n_bits, kernel);
    const std::vector<std::size_t> order = telling(told, dealing.n_tables * dealing.width);
    const std::size_t n = order.size(), size = columns.size(), mask_size = (dealing.n_bits + 7) / 8;
    std::vector<unsigned char> ordered(n * size);
    for (std::size_t i = 0; i < n; ++i) std::copy_n(columns.column(order[i]), size, ordered.data() + i * size);
    std::vector<std::size_t> n_dealt(dealing.n_tables, 0);
    std::vector<double> shared(dealing.n_tables * n, 0.0);  // summed correlation of each bit with each table's
    std::vector<std::int32_t> differing(n);
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t best = dealing.n_tables;  // some table has room: n bits in all
        for (std::size_t t = 0; t < dealing.n_tables; ++t) {
            if (n_dealt[t] == dealing.width) continue;
            const double here = shared[t * n + i], there = best < dealing.n_tables ? shared[best * n + i] : here;
            if (best == dealing.n_tables || here < there || (here == there && n_dealt[t] < n_dealt[best])) best = t;
        }
        ++n_dealt[best];
        masks[best * mask_size + order[i] / 8] |= static_cast<unsigned char>(0x80u >> order[i] % 8);
        const unsigned char* const column = ordered.data() + i * size;
        const std::size_t n_after = n - i - 1;  // of those before, nobody asks any more
        distances_between({column, 1, size}, {column + size, n_after, size}, kernel, differing.data());
        for (std::size_t j = 0; j < n_after; ++j)
            shared[best * n + i + 1 + j] +=
                correlation(told[order[i]], told[order[i + 1 + j]], differing[j], columns.n_codes());
    }
}

}  // namespace hashindex
