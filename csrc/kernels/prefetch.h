// Asking memory for what is read later.
#pragma once

#include <cstddef>
#include <cstdint>

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

// Lines of some bytes that are read later, asked for in so many turns: a burst of requests would wait for memory. They
// come as far as the L2 cache. There may be no such bytes.
class LinesAhead {
public:
    inline __attribute__((always_inline)) LinesAhead(const void* from, std::size_t offset, std::size_t n_bytes,
                                                     std::size_t n_turns)
        : next_(reinterpret_cast<std::uintptr_t>(from) + offset),
          end_(next_ + n_bytes),
          n_lines_((n_bytes / line_size + n_turns - 1) / (n_turns + !n_turns)) {}

    inline __attribute__((always_inline)) void ask() {
        if (next_ >= end_) return;
        for (std::size_t i = 0; i < n_lines_; ++i, next_ += line_size)
            __builtin_prefetch(reinterpret_cast<const void*>(next_), 0, 2);
    }

private:
    std::uintptr_t next_;
    const std::uintptr_t end_;
    const std::size_t n_lines_;
};

}  // namespace hashindex
