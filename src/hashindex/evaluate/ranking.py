"""What a ranking by distance is worth, exactly, when tied items come in random order: histograms in, numbers out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .histograms import Histograms

_LEAST_EXPANDED = 32  # from here on the expansion below is exact to a double's last bits
_FEW_HARMONIC = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, _LEAST_EXPANDED))])


class AveragePrecisions(NamedTuple):
    """Per query, float64 (n_queries,): expected over the orders of ties, with relevant items last / first in each."""

    value: NDArray[np.float64]
    worst: NDArray[np.float64]
    best: NDArray[np.float64]


def average_precisions(counts: Histograms, at: int | None = None) -> AveragePrecisions:
    """Compute each query's average precision over the whole ranking, or over its first `at` places.

    Divided by the number of relevant items, or by `at` if that is less; 0 where there is none. Closed form
    (McSherry and Najork, "Computing information retrieval performance measures efficiently in the presence of
    tied scores", ECIR 2008, section 3): O(n_queries * n_bits), however many items there are.
    """
    items, relevant = counts
    before = np.cumsum(items, axis=1) - items  # items nearer than this distance
    found = np.cumsum(relevant, axis=1) - relevant  # relevant items nearer than this distance
    placed, wanted = items, relevant.sum(axis=1)
    if at is not None:
        placed = np.clip(at - before, 0, items)  # items of this distance that still have a place
        wanted = np.minimum(wanted, at)
    irrelevant = items - relevant
    # In a random order, the place next to a relevant item in its tie is relevant with this probability.
    mixed = (relevant - 1) / np.maximum(items - 1, 1)
    sums = (
        _sum_precisions(before, placed, found, mixed) * relevant / np.maximum(items, 1),
        _sum_precisions(before + irrelevant, np.maximum(placed - irrelevant, 0), found, 1.0),
        _sum_precisions(before, np.minimum(placed, relevant), found, 1.0),
    )
    value, worst, best = (each.sum(axis=1) / np.maximum(wanted, 1) for each in sums)
    return AveragePrecisions(np.clip(value, worst, best), worst, best)  # whatever rounding does


def expected_hits(counts: Histograms, n_places: int) -> NDArray[np.float64]:
    """Count the relevant items expected among the first `n_places` of each query, float64 (n_queries,)."""
    items, relevant = counts
    placed = np.clip(n_places - (np.cumsum(items, axis=1) - items), 0, items)
    hits: NDArray[np.float64] = (relevant * (placed / np.maximum(items, 1))).sum(axis=1)
    return hits


def _sum_precisions(
    start: NDArray[np.int64],
    n: NDArray[np.int64],
    found: NDArray[np.int64],
    slope: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Sum (found + 1 + slope * (t - 1)) / (start + t), the precision at place start + t, over t = 1..n."""
    sums: NDArray[np.float64] = (found + 1 - slope * (start + 1)) * (_harmonic(start + n) - _harmonic(start))
    return sums + slope * n


def _harmonic(n: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum 1/1 + ... + 1/n: Euler and Maclaurin's expansion (Abramowitz and Stegun, 6.3.18), few terms kept."""
    x = np.maximum(n, _LEAST_EXPANDED).astype(np.float64)
    y = 1 / (x * x)
    expanded = np.log(x) + np.euler_gamma + 0.5 / x - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240)))
    return np.where(n < _LEAST_EXPANDED, _FEW_HARMONIC[np.minimum(n, _LEAST_EXPANDED - 1)], expanded)
