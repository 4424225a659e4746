// Tables that own their arrays.
#pragma once

#include "../../csrc/search/multi_index.h"

#include <algorithm>
#include <vector>

namespace hashindex {

// Tables whose keys take `width` bits each, dealt in turn as a hand of cards; what is left over addresses nothing.
struct OwnedTables {
    std::vector<unsigned char> masks;
    std::vector<std::int32_t> widths;
    std::vector<std::uint32_t> offsets, rows;
    std::vector<std::uint64_t> copies;
    std::size_t n_copied;

    OwnedTables(const Codes& codes, std::size_t width, bool with_copies, const Execution& execution) {
        const std::size_t n_bits = 8 * codes.code_size, n_tables = std::max<std::size_t>(1, n_bits / width);
        width = std::min(width, n_bits);
        masks.resize(n_tables * codes.code_size, 0);
        for (std::size_t bit = 0; bit < n_tables * width; ++bit)
            masks[bit % n_tables * codes.code_size + bit / 8] |= static_cast<unsigned char>(0x80 >> bit % 8);
        widths.assign(n_tables, static_cast<std::int32_t>(width));
        offsets.resize(n_tables * ((std::size_t{1} << width) + 1), 4294967295u);
        rows.resize(n_tables * codes.count, 4294967295u);
        n_copied = with_copies ? (n_tables + 1) / 2 : 0;  // the others do without
        copies.resize(n_copied * codes.count, 7u);
        build_tables(codes, view(), offsets.data(), rows.data(), copies.data(), execution);
    }

    Tables view() const {
        return {masks.data(), widths.data(), offsets.data(), rows.data(), copies.data(), widths.size(), n_copied};
    }

    // The general pigeonhole: radius + 1 shells dealt out to the tables in turn, so that sum(t_j + 1) = radius + 1.
    std::vector<std::int32_t> thresholds(std::uint32_t radius) const {
        std::vector<std::int32_t> shells(widths.size(), 0);
        for (std::size_t i = 0; i <= radius; ++i) ++shells[i % shells.size()];
        for (std::size_t t = 0; t < shells.size(); ++t) shells[t] = std::min(shells[t] - 1, widths[t]);
        return shells;
    }

    // Every shell of every table, in turn.
    std::vector<Shell> shells() const {
        std::vector<Shell> all;
        for (std::int32_t flips = 0; flips <= widths[0]; ++flips)
            for (std::size_t t = 0; t < widths.size(); ++t) all.push_back({static_cast<std::int32_t>(t), flips, 1.0});
        return all;
    }
};

}  // namespace hashindex
