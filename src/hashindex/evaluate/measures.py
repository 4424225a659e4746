"""Retrieval measures of binary codes. Ties are the rule at integer distances: each convention is spelt out.

All take codes and labels as `distance_histograms` does, raise what it raises, and ValueError for no query at
all.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs import check_k, check_radius
from .histograms import Histograms, distance_histograms


class MeanAveragePrecision(NamedTuple):
    """The MAP expected over all orders of tied items, and with relevant items last / first in every tie."""

    value: float
    worst: float
    best: float


class PrecisionWithin(NamedTuple):
    """Mean precision inside a Hamming ball, and the share of queries whose ball is empty (they count 0)."""

    value: float
    empty_share: float


class PrecisionRecall(NamedTuple):
    """Mean precision and mean recall within each radius 0..n_bits, both float64 (n_bits + 1,)."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


def mean_average_precision(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    n_bits: int,
    at: int | None = None,
) -> MeanAveragePrecision:
    """Compute the tie-aware mean average precision of the whole ranking, or of its first `at` places (MAP@R).

    It is the exact expectation over random orders of equally distant items, in closed form (McSherry and
    Najork, "Computing information retrieval performance measures efficiently in the presence of tied scores",
    ECIR 2008): how the database happens to be ordered changes nothing. A query's average precision is divided
    by its number of relevant items, or by `at` if that is less; a query without any relevant item counts 0.

    Raises
    ------
    ValueError
        `at` is below 1, or there is no query.
    """
    items, relevant = _counts(query_codes, database_codes, query_labels, database_labels, n_bits)
    before = np.cumsum(items, axis=1) - items  # items nearer than this distance
    found = np.cumsum(relevant, axis=1) - relevant  # relevant items nearer than this distance
    placed, wanted = items, relevant.sum(axis=1)
    if at is not None:
        placed = np.clip(check_k(at) - before, 0, items)  # items of this distance that still have a place
        wanted = np.minimum(wanted, at)
    irrelevant = items - relevant
    # In a random order, the place next to a relevant item in its tie is relevant with this probability.
    mixed = (relevant - 1) / np.maximum(items - 1, 1)
    sums = (
        _sum_precisions(before, placed, found, mixed) * relevant / np.maximum(items, 1),
        _sum_precisions(before + irrelevant, np.maximum(placed - irrelevant, 0), found, 1.0),
        _sum_precisions(before, np.minimum(placed, relevant), found, 1.0),
    )
    value, worst, best = (float((s.sum(axis=1) / np.maximum(wanted, 1)).mean()) for s in sums)
    return MeanAveragePrecision(min(max(value, worst), best), worst, best)  # whatever rounding does


def precision_within(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    n_bits: int,
    radius: int = 2,
) -> PrecisionWithin:
    """Compute P@H<=radius: the relevant share of the items within `radius` (inclusive), averaged.

    A query with nothing in its ball counts 0 and is reported in `empty_share`: to leave it out would flatter
    long codes.

    Raises
    ------
    ValueError
        `radius` is negative, or there is no query.
    """
    radius = check_radius(radius)
    items, relevant = _counts(query_codes, database_codes, query_labels, database_labels, n_bits)
    inside = items[:, : radius + 1].sum(axis=1)
    precision = relevant[:, : radius + 1].sum(axis=1) / np.maximum(inside, 1)
    return PrecisionWithin(float(precision.mean()), float((inside == 0).mean()))


def precision_recall(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    n_bits: int,
) -> PrecisionRecall:
    """Compute the precision-recall curve by radius: entry r is what a search with radius=r gives.

    Macro-averaged: computed per query, then averaged, each query counting the same; so precision[r] is
    `precision_within(..., radius=r).value`. An empty ball has precision 0, a query without relevant items
    recall 0.

    Raises
    ------
    ValueError
        There is no query.
    """
    counts = _counts(query_codes, database_codes, query_labels, database_labels, n_bits)
    inside, hits = (np.cumsum(count, axis=1) for count in counts)
    precision = hits / np.maximum(inside, 1)
    recall = hits / np.maximum(hits[:, -1:], 1)
    return PrecisionRecall(precision.mean(axis=0), recall.mean(axis=0))


def distinct_codes(codes: ArrayLike) -> int:
    """Count the different codes among the rows of packed uint8 (n, code_size): few = a collapsed hash.

    Raises
    ------
    TypeError
        The codes are not uint8.
    ValueError
        The shape is another.
    """
    rows = np.asarray(codes)
    if rows.dtype != np.uint8:
        raise TypeError(f"codes must be packed uint8 (n, code_size), got {rows.dtype}; pack() makes them")
    if rows.ndim != 2:
        raise ValueError(f"codes must be packed uint8 (n, code_size), got shape {rows.shape}")
    return len(np.unique(rows, axis=0))


def _counts(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    n_bits: int,
) -> Histograms:
    counts = distance_histograms(query_codes, database_codes, query_labels, database_labels, n_bits=n_bits)
    if len(counts.items) == 0:
        raise ValueError("query_codes must hold at least 1 code: the mean over no query is undefined")
    return counts


def _sum_precisions(
    start: NDArray[np.int64],
    n: NDArray[np.int64],
    found: NDArray[np.int64],
    slope: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Sum (found + 1 + slope * (t - 1)) / (start + t), the precision at place start + t, over t = 1..n."""
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, (start + n).max() + 1))])
    sums: NDArray[np.float64] = (found + 1 - slope * (start + 1)) * (harmonic[start + n] - harmonic[start])
    return sums + slope * n
