"""Distances among sampled codes, of which structures predict what they leave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..engines.rows import Codes


def sampled(codes: Codes, n: int) -> Codes:
    """At most ``n`` of the codes, spread evenly, in an order that means nothing; always the same."""
    some = codes[:: max(1, len(codes) // n)][:n]
    return some[np.random.default_rng(0).permutation(len(some))]


def distances_between(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Of the codes with words a (n_words, n) and b (n_words, m): (n, m)."""
    distances = np.zeros((a.shape[1], b.shape[1]), np.int32)
    for x, y in zip(a, b, strict=True):
        distances += np.bitwise_count(x[:, None] ^ y)
    return distances


def shares_within(away: NDArray[np.int32], n_limits: int) -> NDArray[np.float64]:
    """Which shares are within each limit."""
    within = np.cumsum(np.bincount(away.ravel(), minlength=n_limits)[:n_limits])
    return within / max(away.size, 1)
