"""What the Numba kernels share: words of codes, popcount, and a log of hits that grows or is cut.

Codes are read as bytes and become words of 64 bits here, so that one compiled kernel serves every ``code_size``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ..hits import Hits
from ..rows import Codes

F = TypeVar("F", bound=Callable[..., Any])
Words = NDArray[np.uint64]  # (n_words, n): a code is a column


def kernel(function: F) -> F:
    """Compile with Numba at the first call, without the GIL."""
    return cast("F", numba.njit(nogil=True, error_model="numpy")(function))


def inlined(function: F) -> F:
    """A kernel for innermost loops, pasted into its callers: Numba counts references to the arrays of a call."""
    return cast("F", numba.njit(nogil=True, error_model="numpy", inline="always")(function))


def _popcount(typing_context: Any, word: Any) -> Any:  # noqa: ARG001
    """Set bits of a uint64, as int64: LLVM's ctpop, which becomes vector instructions where the CPU has them."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), emit


popcount: Any = intrinsic(_popcount)


llvm: Any = cgutils


def _whole_word(typing_context: Any, codes: Any, row: Any, word: Any) -> Any:  # noqa: ARG001
    """Eight bytes of a code as a uint64 in one load that needs no alignment; Numba alone would make eight loads."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = context.make_array(kind)(context, builder, arguments[0])
        byte = builder.mul(arguments[2], arguments[2].type(8))
        place = llvm.get_item_pointer(context, builder, kind, array, [arguments[1], byte])
        return builder.load(builder.bitcast(place, context.get_value_type(types.uint64).as_pointer()), align=1)

    return types.uint64(codes, types.intp, types.intp), emit


whole_word: Any = intrinsic(_whole_word)


def _prefetch(typing_context: Any, array: Any, row: Any, column: Any) -> Any:  # noqa: ARG001
    """Ask for the memory of array[row, column] without waiting for it."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, ir, number = signature.args[0], llvm.ir, llvm.int32_t
        values = context.make_array(kind)(context, builder, arguments[0])
        place = builder.bitcast(llvm.get_item_pointer(context, builder, kind, values, arguments[1:]), llvm.voidptr_t)
        asked = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [place.type], asked)
        builder.call(ask, [place, number(0), number(3), number(1)])  # to read, keep in every cache, data
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), emit


prefetch: Any = intrinsic(_prefetch)


@inlined
def prefetch_run(array: NDArray[Any], row: int, begin: int, end: int) -> None:
    """Ask for array[row, begin:end], which is not empty; what is long is left to the hardware's prefetcher."""
    step = 64 // array.itemsize
    for column in range(begin, min(end, begin + 4 * step), step):
        prefetch(array, row, column)
    prefetch(array, row, end - 1)


@inlined
def last_word(codes: Codes, row: int) -> np.uint64:
    """The last ``code_size % 8`` bytes of a code, little-endian."""
    n_bytes, value = codes.shape[1], np.uint64(0)
    for byte in range(n_bytes - 1, n_bytes // 8 * 8 - 1, -1):
        value = value << np.uint64(8) | np.uint64(codes[row, byte])
    return value


@kernel
def read_words(codes: Codes, begin: int, end: int, words: Words) -> None:
    """Fill the first columns of ``words`` from codes[begin:end]."""
    n_whole = codes.shape[1] // 8
    for word in range(n_whole):
        column = words[word]
        for i in range(end - begin):
            column[i] = whole_word(codes, begin + i, word)
    if n_whole < words.shape[0]:
        column = words[n_whole]
        for i in range(end - begin):
            column[i] = last_word(codes, begin + i)


@kernel
def words_by_query(queries: Codes) -> Words:
    """Words (n_queries, n_words): a query is a row."""
    words = np.empty(((queries.shape[1] + 7) // 8, len(queries)), np.uint64)
    read_words(queries, 0, len(queries), words)
    return words.T.copy()


@inlined
def read_word(codes: Codes, row: int, word: int) -> np.uint64:
    """One word of a code, little-endian."""
    return whole_word(codes, row, word) if word < codes.shape[1] // 8 else last_word(codes, row)


@inlined
def distance_to(codes: Codes, row: int, queries: Words, q: int) -> int:
    """Distance to one code of query q, a row of words."""
    total, n_whole = 0, codes.shape[1] // 8
    for word in range(n_whole):
        total += popcount(whole_word(codes, row, word) ^ queries[q, word])
    if n_whole < queries.shape[1]:
        total += popcount(last_word(codes, row) ^ queries[q, n_whole])
    return total


@inlined
def is_removed(removed: NDArray[np.uint8], row: int) -> bool:
    """Whether the row's bit is set; none is in an empty array."""
    return len(removed) > 0 and removed[row >> 3] >> (row & 7) & 1 == 1


@kernel
def grown(log: Hits, n: int) -> Hits:
    """Return ``log``, or a copy of it with room for n hits and as many again."""
    if n <= len(log):
        return log
    larger = np.empty(2 * n, np.int64)
    larger[: len(log)] = log
    return larger


@kernel
def cut(log: Hits, n: int, k: int) -> int:
    """Move the k least of the first n hits to the front; returns the k-th (Hoare's quickselect)."""
    low, high, target = 0, n - 1, k - 1
    while low < high:
        a, b, c = log[low], log[(low + high) >> 1], log[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while log[i] < pivot:
                i += 1
            while log[j] > pivot:
                j -= 1
            if i <= j:
                log[i], log[j] = log[j], log[i]
                i += 1
                j -= 1
        if target <= j:
            high = j
        elif target >= i:
            low = i
        else:
            break
    return int(log[target])
