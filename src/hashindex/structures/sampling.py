"""Distances among sampled codes, of which structures predict what they leave."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..engines.rows import Codes

BLOCK = 16  # codes compared with all others at a time, whose differences stay in the cache


def sampled(codes: Codes, n: int) -> Codes:
    """At most ``n`` of the codes, spread evenly, in an order that means nothing; always the same."""
    some = codes[:: max(1, len(codes) // n)][:n]
    return some[_shuffled(len(some))]


@lru_cache(maxsize=64)
def _shuffled(n: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).permutation(n)


def distances_between(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Of the codes with words a (n_words, n) and b (n_words, m): (n, m)."""
    distances = np.zeros((a.shape[1], b.shape[1]), np.int32)
    differ = np.empty((BLOCK, b.shape[1]), np.uint64)
    for begin in range(0, a.shape[1], BLOCK):
        some = a[:, begin : begin + BLOCK, None]
        for x, y in zip(some, b, strict=True):
            np.bitwise_xor(x, y, out=differ[: len(x)])
            distances[begin : begin + BLOCK] += np.bitwise_count(differ[: len(x)])
    return distances


def shares_within(away: NDArray[np.int32], n_limits: int) -> NDArray[np.float64]:
    """Which shares are within each limit."""
    within = np.cumsum(np.bincount(away.ravel(), minlength=n_limits)[:n_limits])
    return within / max(away.size, 1)
