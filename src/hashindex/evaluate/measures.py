"""Single retrieval measures of binary codes; `evaluate` gives all of them for the price of one.

All take codes and labels as `distance_histograms` does, raise what it raises, and ValueError for no query at
all.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.numbers import check_radius
from .evaluation import MeanAveragePrecision, evaluate


class PrecisionWithin(NamedTuple):
    """Mean precision inside a Hamming ball, and the share of queries whose ball is empty (they count 0)."""

    value: float
    empty_share: float


class PrecisionRecall(NamedTuple):
    """Within each radius 0..n_bits: mean precision, mean recall, share of empty balls; float64 (n_bits + 1,)."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    empty_share: NDArray[np.float64]


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
    data = (query_codes, database_codes, query_labels, database_labels)
    return evaluate(*data, n_bits=n_bits, at=at, list_sizes=()).mean_average_precision


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
    curve = precision_recall(query_codes, database_codes, query_labels, database_labels, n_bits=n_bits)
    r = min(radius, n_bits)
    return PrecisionWithin(float(curve.precision[r]), float(curve.empty_share[r]))


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
    data = (query_codes, database_codes, query_labels, database_labels)
    found = evaluate(*data, n_bits=n_bits, list_sizes=())
    return PrecisionRecall(found.precision, found.recall, found.empty_share)


def precision_at(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    n_bits: int,
    sizes: Sequence[int],
) -> NDArray[np.float64]:
    """Compute P@N for each N in `sizes`: the relevant share of the N nearest items, averaged; float64 (n_sizes,).

    Exactly as expected over random orders of equally distant items (McSherry and Najork, ECIR 2008). Divided by
    N even where the database is smaller.

    Raises
    ------
    ValueError
        A size is below 1, or there is no query.
    """
    data = (query_codes, database_codes, query_labels, database_labels)
    return evaluate(*data, n_bits=n_bits, list_sizes=sizes).precision_at


def recall_at(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    n_bits: int,
    sizes: Sequence[int],
) -> NDArray[np.float64]:
    """Compute recall@k for each k in `sizes`: the share of relevant items among the k nearest; float64 (n_sizes,).

    Exactly as expected over random orders of equally distant items; a query without relevant items counts 0.

    Raises
    ------
    ValueError
        A size is below 1, or there is no query.
    """
    data = (query_codes, database_codes, query_labels, database_labels)
    return evaluate(*data, n_bits=n_bits, list_sizes=sizes).recall_at
