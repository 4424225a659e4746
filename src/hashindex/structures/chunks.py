"""What share of wide codes a batched scan reads: kernels over planes leave codes that are too far between chunks."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from ..segments.spread import Spread
from .costs import FEW

LEFT_TOGETHER = 256  # codes times queries, of which all must be too far


def share_read(
    distances: NDArray[np.float64], share: NDArray[np.float64], limits: NDArray[np.int64], n_bits: int, n_chunks: int
) -> NDArray[np.float64]:
    """By limit, what share of their chunks is read of codes of which ``share`` (n,) are at ``distances`` (n,).

    As if all bits told alike: of a distance d among n bits, a part f of the code has f d, with the variance
    f (1 - f) d (1 - d / n) of the hypergeometric distribution.
    """
    read = np.ones(limits.shape)
    with np.errstate(under="ignore"):  # the caller's may raise
        for chunk in range(1, n_chunks):
            part = chunk / n_chunks
            deviation = np.sqrt(np.maximum(part * (1 - part) * distances * (1 - distances / n_bits), 1e-6))
            within = _normal((limits[:, None] + 0.5 - part * distances) / deviation) @ share
            read += 1 - (1 - np.clip(within, 0.0, 1.0)) ** LEFT_TOGETHER
    return read / n_chunks


def n_chunks_of(code_size: int, chunk: float, n_queries: int) -> int:
    """In how many chunks codes are read; ``chunk`` is the longest, in bytes, 0 if all are read whole, as by few."""
    return ceil(code_size / max(chunk, 1.0)) if chunk and n_queries > FEW else 1


def shares_at(spread: Spread) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The distances sampled, and the share of the codes at each, as :func:`share_read` takes them."""
    n_queries, n_ranks = spread.distances.shape
    with np.errstate(under="ignore"):  # of ranks 1, 2, 4, ... each stands for those since the last
        share = 2.0 ** (np.maximum(np.arange(n_ranks), 1) - n_ranks) / n_queries
    return spread.distances.ravel(), np.tile(share, n_queries)


def _normal(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distribution function of the normal distribution, by a logistic one that is off by at most 2e-4."""
    return 1 / (1 + np.exp(-np.clip(1.5976 * x + 0.070565992 * x**3, -500, 500)))
