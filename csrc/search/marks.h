// Marking rows as removed: pages are copied before they are changed (src/hashindex/engines/removed.py).
#pragma once

#include "codes.h"

namespace hashindex {

// The numbers, ascending, of the pages that have a bit of one of `count` rows, all below n_pages * page_rows.
std::vector<std::uint32_t> pages_of(const std::int64_t* rows, std::size_t count, std::size_t n_pages);

// Copies page numbers[i] of `from` to page places[i] of `pages`, which may be the same memory, and names it in `table`,
// which begins as a copy of from.table.
void own_pages(const Removed& from, const std::vector<std::uint32_t>& numbers, const std::vector<std::uint32_t>& places,
               unsigned char* pages, std::uint32_t* table);

// Sets the bit of each of `count` rows in pages that nobody else looks at.
void mark_rows(const std::int64_t* rows, std::size_t count, unsigned char* pages, const std::uint32_t* table);

}  // namespace hashindex
