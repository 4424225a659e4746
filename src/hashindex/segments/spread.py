"""How far the neighbours of stored codes are: a sample taken when a segment is made.

What a k-nearest search costs hangs on the distance of the k-th neighbour. Queries are like the codes more often than
not; where they are not, what searches have met tells (``Learned.looked``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines.numpy_engine.common import words_of
from ..support.native import core

SAMPLE_QUERIES = 16  # stored codes whose neighbours are looked at
SAMPLE_CODES, SAMPLE_WORDS = 2**14, 2**18  # among so many, fewer of wide ones
SLOPE_RANKS = 6  # doublings of the rank from which distances below the first rank are extrapolated


class Spread(NamedTuple):
    """Distances of sampled codes to their neighbours of rank 1, 2, 4, ... in a sample of the others."""

    distances: NDArray[np.float64]  # (n_queries, n_ranks), ascending in each row
    share: float  # of the segment's codes that the sample has

    def limits(self, k: int) -> NDArray[np.float64]:
        """About how far the k-th nearest code of each sampled one is, (n_queries,)."""
        doublings = np.log2(max(k * self.share, 1e-12))
        n_ranks = self.distances.shape[1]
        if doublings >= 0:
            at = min(doublings, n_ranks - 1.0)
            low = int(at)
            high = min(low + 1, n_ranks - 1)
            between: NDArray[np.float64] = self.distances[:, high] - self.distances[:, low]
            found: NDArray[np.float64] = self.distances[:, low] + (at - low) * between
            return found
        rank = min(SLOPE_RANKS, n_ranks - 1)
        slope = (self.distances[:, rank] - self.distances[:, 0]) / max(rank, 1)
        below: NDArray[np.float64] = np.maximum(self.distances[:, 0] + doublings * slope, 0.0)
        return below

    def thinned(self, part: float) -> Spread:
        """The same for a ``part`` of the codes, 0 to 1: there a rank is as far as one beyond it was."""
        distances, share = self.distances, self.share / part
        while share > 1 and distances.shape[1] > 1:
            distances, share = distances[:, 1:], share / 2
        return Spread(distances, min(share, 1.0))


def spread_of(codes: NDArray[np.uint8]) -> Spread | None:
    """Measure codes (n, code_size); None for fewer than two."""
    n, size = codes.shape
    if n < 2:
        return None
    most = min(SAMPLE_CODES, max(SAMPLE_WORDS * 8 // size, 64))
    stride = max(1, n // most)
    sample = np.ascontiguousarray(codes[::stride][:most])
    m = len(sample)
    rows = np.linspace(0, m - 1, min(SAMPLE_QUERIES, m)).astype(np.int64)
    n_ranks = int(np.log2(m - 1)) + 1
    found = (distances_by_rank if core is None else core.distances_by_rank)(sample, rows, n_ranks)
    return Spread(found, (m - 1) / n)


def distances_by_rank(codes: NDArray[np.uint8], rows: NDArray[np.int64], n_ranks: int) -> NDArray[np.float64]:
    """How far the neighbours of rank 1, 2, 4, ... of some ``rows`` are, (n, n_ranks): without the native core."""
    columns, ranks = words_of(codes), 2 ** np.arange(n_ranks)
    found = np.empty((len(rows), n_ranks))
    for i, row in enumerate(rows.tolist()):
        distances = np.zeros(len(codes), np.int32)
        for column in columns:
            distances += np.bitwise_count(column ^ column[row])
        within = np.cumsum(np.bincount(distances)) - 1  # itself is none of its neighbours
        found[i] = np.searchsorted(within, ranks)
    return found
