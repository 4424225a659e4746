// How a long call learns that nobody wants its answer any more: loops look at a flag between tiles, and the thread that
// made the call asks outside now and then (whoever calls knows how: Ctrl-C in Python).
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <thread>
#include <utility>

namespace hashindex {

class Stop {
public:
    struct Stopped : std::exception {};

    static constexpr std::chrono::milliseconds interval{50};

    explicit Stop(std::function<bool()> asked) : asked_(std::move(asked)) {}

    static constexpr std::size_t a_lot = std::size_t{1} << 12;  // numbers, of some nanoseconds each

    // Throws Stopped once somebody wants this call to end. The clock takes some thirty nanoseconds: it is asked once so
    // many numbers, of which `done` since the last time, were gone through.
    void check(std::size_t done = a_lot) {
        if (stopped_.load(std::memory_order_relaxed)) throw Stopped();
        if (std::this_thread::get_id() != caller_ || (done_ += done) < a_lot) return;
        done_ = 0;
        const auto now = std::chrono::steady_clock::now();
        if (next_ == std::chrono::steady_clock::time_point()) next_ = now + interval;
        if (now < next_) return;
        next_ = now + interval;
        if (!asked_()) return;
        stopped_ = true;
        throw Stopped();
    }

private:
    const std::function<bool()> asked_;
    const std::thread::id caller_ = std::this_thread::get_id();
    std::chrono::steady_clock::time_point next_{};  // time to ask, from the first check on; the caller's alone
    std::size_t done_ = 0;                          // since the clock was asked; the caller's alone
    std::atomic<bool> stopped_{false};
};

// Calls work(i) for each number below `count`, looking now and then whether to stop: for some nanoseconds of work.
template <class Work>
void for_each_number(std::size_t count, Stop& stop, Work work) {
    constexpr std::size_t most = std::size_t{1} << 20;
    for (std::size_t first = 0; first < count; first += most) {
        if (first) stop.check();
        for (std::size_t i = first; i < std::min(first + most, count); ++i) work(i);
    }
}

}  // namespace hashindex
