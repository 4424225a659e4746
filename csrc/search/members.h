// Who belongs to which group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace hashindex {

// Those of group g are rows[begins[g]] to rows[begins[g + 1] - 1], ascending.
struct Members {
    std::vector<std::uint32_t> begins, rows;

    // Of rows below count, each in group of[row] < n_groups. Throws std::invalid_argument.
    Members(const std::int64_t* of, std::size_t count, std::size_t n_groups) : begins(n_groups + 1), rows(count) {
        if (std::uint64_t{count} >> 32) throw std::invalid_argument("rows are numbered with 32 bits");
        for (std::size_t i = 0; i < count; ++i) {
            if (static_cast<std::uint64_t>(of[i]) >= n_groups) throw std::invalid_argument("a row of no group");
            ++begins[static_cast<std::size_t>(of[i]) + 1];
        }
        for (std::size_t g = 0; g < n_groups; ++g) begins[g + 1] += begins[g];
        std::vector<std::uint32_t> next(begins.begin(), begins.end() - 1);
        for (std::size_t i = 0; i < count; ++i)
            rows[next[static_cast<std::size_t>(of[i])]++] = static_cast<std::uint32_t>(i);
    }

    bool has_any(std::size_t group) const { return begins[group] < begins[group + 1]; }
};

}  // namespace hashindex
