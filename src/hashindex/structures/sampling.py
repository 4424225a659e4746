"""Distances among sampled codes, of which structures predict what they leave."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..engines.numpy_engine.common import words_of
from ..engines.rows import Codes
from ..support.native import core

MOST_KEY_BITS = 32
BLOCK = 16  # codes compared with all others at a time, whose differences stay in the cache


def sampled(codes: Codes, n: int) -> Codes:
    """At most ``n`` of the codes, spread evenly, in an order that means nothing; always the same."""
    some = codes[:: max(1, len(codes) // n)][:n]
    return some[_shuffled(len(some))]


@lru_cache(maxsize=64)
def _shuffled(n: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).permutation(n)


def distances_between(a: Codes, b: Codes) -> NDArray[np.int32]:
    """Of codes a (n, code_size) and b (m, code_size): (n, m)."""
    if core is not None:
        return core.distances_between(np.ascontiguousarray(a), np.ascontiguousarray(b))
    return counted_between(a, b)


def counted_between(a: Codes, b: Codes) -> NDArray[np.int32]:
    """:func:`distances_between` without the native core."""
    distances = np.zeros((len(a), len(b)), np.int32)
    words, others = words_of(a), words_of(b)
    differ = np.empty((BLOCK, len(b)), np.uint64)
    for begin in range(0, len(a), BLOCK):
        some = words[:, begin : begin + BLOCK, None]
        for x, y in zip(some, others, strict=True):
            np.bitwise_xor(x, y, out=differ[: len(x)])
            distances[begin : begin + BLOCK] += np.bitwise_count(differ[: len(x)])
    return distances


def key_differences(codes: Codes, rows: NDArray[np.int64], masks: NDArray[np.uint8]) -> NDArray[np.int64]:
    """In how many bits under masks (n_masks, code_size) some rows of codes differ from all: (n_masks, 33).

    Entry d counts the pairs that differ in d bits. A mask has at most 32 bits set.
    """
    if core is not None:
        return core.key_differences(codes, rows, masks)
    return counted_differences(codes, rows, masks)


def counted_differences(codes: Codes, rows: NDArray[np.int64], masks: NDArray[np.uint8]) -> NDArray[np.int64]:
    """:func:`key_differences` without the native core."""
    counts = np.empty((len(masks), MOST_KEY_BITS + 1), np.int64)
    for counted, mask in zip(counts, masks, strict=True):
        places = np.flatnonzero(mask)  # bytes that have bits of the key
        keys = codes[:, places] & mask[places]
        counted[:] = np.bincount(counted_between(keys[rows], keys).ravel(), minlength=MOST_KEY_BITS + 1)
    return counts


def shares_within(away: NDArray[np.int32], n_limits: int) -> NDArray[np.float64]:
    """Which shares are within each limit."""
    within = np.cumsum(np.bincount(away.ravel(), minlength=n_limits)[:n_limits])
    return within / max(away.size, 1)
