// Uninitialised memory aligned to a cache line, freed with its owner.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace hashindex {

template <class T>
class AlignedBuffer {
public:
    explicit AlignedBuffer(std::size_t size)
        : memory_(static_cast<T*>(::operator new(size * sizeof(T), std::align_val_t{64}))) {}

    T* data() { return memory_.get(); }
    T& operator[](std::size_t i) { return memory_.get()[i]; }

private:
    struct Free {
        void operator()(T* memory) const { ::operator delete(memory, std::align_val_t{64}); }
    };
    std::unique_ptr<T, Free> memory_;
};

}  // namespace hashindex
