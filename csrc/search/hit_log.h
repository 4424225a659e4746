// Hits in the order in which they were found. Grows by pieces of at most 1 MB and copies nothing, so that no single
// step takes long, however many there are.
#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

#include "../kernels/kernel.h"
#include "../support/stop.h"

namespace hashindex {

class HitLog {
public:
    HitLog() = default;
    HitLog(const HitLog&) = delete;
    HitLog& operator=(const HitLog&) = delete;

    void add(Hit hit) {
        if (next_ == end_) grow();
        *next_++ = hit;
    }

    std::size_t size() const { return pieces_.empty() ? 0 : n_before_ + in_last(); }

    // Keeps some room.
    void clear() {
        if (pieces_.size() > 1) pieces_.erase(pieces_.begin(), pieces_.end() - 1);
        n_before_ = 0;
        if (!pieces_.empty()) next_ = pieces_.back().hits.get();
    }

    void free() {
        pieces_.clear();
        next_ = end_ = nullptr;
        n_before_ = 0;
    }

    // Adds the hits of `more`, which is left empty.
    void append(HitLog& more) {
        const std::size_t total = size() + more.size();
        if (!more.size()) return;
        close();
        more.close();
        std::move(more.pieces_.begin(), more.pieces_.end(), std::back_inserter(pieces_));
        next_ = end_ = pieces_.back().hits.get() + pieces_.back().count;
        n_before_ = total - in_last();
        more.free();
    }

    // Calls work(hit) for each, looking before each piece whether to stop.
    template <class Work>
    void for_each(Stop& stop, Work work) {
        close();
        for (const Piece& piece : pieces_) {
            stop.check(piece.count);
            for (std::size_t i = 0; i < piece.count; ++i) work(piece.hits[i]);
        }
    }

private:
    static constexpr std::size_t least = 32, most = std::size_t{1} << 17;  // hits of a piece

    struct Piece {
        std::unique_ptr<Hit[]> hits;
        std::size_t count;  // of the last one: right once closed
    };

    std::size_t in_last() const { return static_cast<std::size_t>(next_ - pieces_.back().hits.get()); }

    void close() {
        if (!pieces_.empty()) pieces_.back().count = in_last();
    }

    void grow() {
        const std::size_t n = size(), room = std::clamp(n, least, most);
        close();
        pieces_.push_back({std::unique_ptr<Hit[]>(new Hit[room]), 0});
        n_before_ = n;
        next_ = pieces_.back().hits.get();
        end_ = next_ + room;
    }

    std::vector<Piece> pieces_;
    Hit *next_ = nullptr, *end_ = nullptr;  // places left in the last piece
    std::size_t n_before_ = 0;              // hits of the pieces before it
};

}  // namespace hashindex
