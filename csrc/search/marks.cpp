#include "marks.h"

#include <cstring>

namespace hashindex {

std::vector<std::uint32_t> pages_of(const std::int64_t* rows, std::size_t count, std::size_t n_pages) {
    std::vector<std::uint32_t> numbers;
    std::vector<bool> has(n_pages, false);
    for (std::size_t i = 0; i < count; ++i) has[static_cast<std::size_t>(rows[i]) / Removed::page_rows] = true;
    for (std::size_t page = 0; page < n_pages; ++page)
        if (has[page]) numbers.push_back(static_cast<std::uint32_t>(page));
    return numbers;
}

void own_pages(const Removed& from, const std::vector<std::uint32_t>& numbers, const std::vector<std::uint32_t>& places,
               unsigned char* pages, std::uint32_t* table) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::size_t old = from.table[numbers[i]];
        std::memmove(pages + places[i] * Removed::page_size, from.pages + old * Removed::page_size, Removed::page_size);
        table[numbers[i]] = places[i];
    }
}

void mark_rows(const std::int64_t* rows, std::size_t count, unsigned char* pages, const std::uint32_t* table) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto row = static_cast<std::size_t>(rows[i]);
        unsigned char* const page = pages + table[row / Removed::page_rows] * Removed::page_size;
        unsigned char& byte = page[row / 8 % Removed::page_size];
        byte = static_cast<unsigned char>(byte | 1u << row % 8);
    }
}

}  // namespace hashindex
