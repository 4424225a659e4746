// Arrays that grow without being set to 0 first: what is filled anyway need not be touched twice, nor all at once.
#pragma once

#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace hashindex {

template <class T>
struct Uninitialised : std::allocator<T> {
    template <class U>
    struct rebind {
        using other = Uninitialised<U>;
    };
    template <class U>
    void construct(U* place) {
        ::new (static_cast<void*>(place)) U;
    }
    template <class U, class... Arguments>
    void construct(U* place, Arguments&&... arguments) {
        ::new (static_cast<void*>(place)) U(std::forward<Arguments>(arguments)...);
    }
};

template <class T>
using UninitialisedVector = std::vector<T, Uninitialised<T>>;

}  // namespace hashindex
