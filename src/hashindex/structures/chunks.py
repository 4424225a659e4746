"""What share of wide codes a batched scan reads: kernels over planes or slices leave codes that are too far."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ..segments.spread import Spread
from .costs import Costs
from .structure import Kind

Shares = tuple[NDArray[np.float64], NDArray[np.float64]]  # distances (n,), and the share of the codes at each (n,)

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


def n_chunks_of(code_size: int, costs: Costs, n_queries: int) -> int:
    """In how many chunks so many queries read codes; few read them whole."""
    return ceil(code_size / max(costs.chunk, 1.0)) if costs.turns(8 * code_size, n_queries) else 1


def scans(
    shape: tuple[int, int], kind: Kind, limits: NDArray[np.int64], shares: Callable[[], Shares]
) -> NDArray[np.float64]:
    """What a query takes, by limit, by a scan of codes of the ``shape`` (n_codes, code_size).

    ``shares()`` tells at which distances they are, if that matters.
    """
    (n_codes, code_size), costs = shape, kind.costs
    n_chunks = n_chunks_of(code_size, costs, kind.n_queries)
    if n_chunks == 1:
        return np.full(limits.shape, costs.scan(n_codes, 8 * code_size, kind.n_queries))
    read = share_read(*shares(), limits, 8 * code_size, n_chunks)
    return np.array([costs.scan(n_codes, 8 * code_size, kind.n_queries, float(share)) for share in read])


def shares_at(spread: Spread | None) -> Shares:
    """Of what was sampled; without a sample all codes are near, and read whole."""
    if spread is None:
        return np.zeros(1), np.ones(1)
    n_queries, n_ranks = spread.distances.shape
    with np.errstate(under="ignore"):  # of ranks 1, 2, 4, ... each stands for those since the last
        share = 2.0 ** (np.maximum(np.arange(n_ranks), 1) - n_ranks) / n_queries
    return spread.distances.ravel(), np.tile(share, n_queries)


def _normal(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distribution function of the normal distribution, by a logistic one that is off by at most 2e-4."""
    return 1 / (1 + np.exp(-np.clip(1.5976 * x + 0.070565992 * x**3, -500, 500)))
