// Asking memory for what is read later.
#pragma once

#include <cstddef>

namespace hashindex {

// Bytes that memory gives at once.
constexpr std::size_t line_size = 64;

// How far ahead sequential reads ask for memory, in bytes: the hardware's prefetcher stops at the end of a page.
constexpr std::size_t prefetch_distance = std::size_t{8} << 10;

// Asks for all lines of some bytes, at least one. Inlined always: GCC takes a function that does nothing else for one
// without effects, and drops its calls.
inline __attribute__((always_inline)) void prefetch(const void* from, std::size_t n_bytes) {
    const auto* const bytes = static_cast<const unsigned char*>(from);
    for (std::size_t at = 0; at < n_bytes; at += line_size) __builtin_prefetch(bytes + at);
    __builtin_prefetch(bytes + n_bytes - 1);
}

}  // namespace hashindex
