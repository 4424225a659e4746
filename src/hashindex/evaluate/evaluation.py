"""Every retrieval measure of one set of codes, from one pass over them. Each convention is spelt out here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.numbers import check_k
from .histograms import Histograms, Judged, judge
from .ranking import average_precisions, expected_hits

LIST_SIZES = (1, 5, 10, 20, 50, 100, 200, 500, 1000)


class MeanAveragePrecision(NamedTuple):
    """The MAP expected over all orders of tied items, and with relevant items last / first in every tie."""

    value: float
    worst: float
    best: float


@dataclass(frozen=True)
class Evaluation:
    """Means over the queries, each counting the same.

    By radius r = 0..n_bits, float64 (n_bits + 1,): what a search with radius=r gives. An empty ball has
    precision 0; to leave it out would flatter long codes. By list size, float64, one entry for each of
    `list_sizes`: what a search with k=N gives, as expected over the orders of ties; precision is divided by N
    even where the database is smaller. A query without any relevant item counts 0 everywhere and is never
    dropped: `without_relevant` is the share of such queries, among them `unlabelled` ones, which have no class.
    """

    n_queries: int
    n_items: int
    n_bits: int
    at: int | None  # places that the MAP looks at; None = all
    mean_average_precision: MeanAveragePrecision
    chance: float  # mean share of relevant items: the precision of codes that say nothing, and about their MAP
    without_relevant: float
    unlabelled: float
    precision: NDArray[np.float64]  # by radius
    recall: NDArray[np.float64]
    candidates: NDArray[np.float64]  # items in the ball
    empty_share: NDArray[np.float64]  # queries whose ball is empty
    list_sizes: tuple[int, ...]
    precision_at: NDArray[np.float64]  # by list size
    recall_at: NDArray[np.float64]


class _Sums(NamedTuple):
    """Of a block of queries: what is divided by the number of all queries in the end."""

    average_precision: NDArray[np.float64]  # (3,)
    chance: NDArray[np.float64]
    without_relevant: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    candidates: NDArray[np.float64]
    empty: NDArray[np.float64]
    precision_at: NDArray[np.float64]
    recall_at: NDArray[np.float64]


def evaluate(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    n_bits: int,
    at: int | None = None,
    list_sizes: Sequence[int] = LIST_SIZES,
) -> Evaluation:
    """Compute every measure in one pass, queries block by block, in bounded memory.

    Parameters
    ----------
    query_codes, database_codes, query_labels, database_labels, n_bits
        As `distance_histograms` takes them.
    at
        Places of the ranking that the MAP looks at (MAP@R); None for all.
    list_sizes
        Sizes N of the P@N and recall@N.

    Raises
    ------
    TypeError
        As `distance_histograms`.
    ValueError
        As `distance_histograms`; or `at` or a list size is below 1, or there is no query.
    """
    at = None if at is None else check_k(at)
    sizes = tuple(check_k(size) for size in list_sizes)
    return evaluate_judged(judge(query_codes, database_codes, query_labels, database_labels, n_bits), at, sizes)


def evaluate_judged(judged: Judged, at: int | None, list_sizes: tuple[int, ...]) -> Evaluation:
    """Compute every measure of what was checked already."""
    n = len(judged.queries)
    if n == 0:
        raise ValueError("query_codes must hold at least 1 code: the mean over no query is undefined")
    blocks = [_sums(counts, len(judged.database), at, list_sizes) for counts in judged.blocks()]
    means = _Sums(*(np.sum(each, axis=0) / n for each in zip(*blocks, strict=True)))
    value, worst, best = means.average_precision.tolist()
    return Evaluation(
        n_queries=n,
        n_items=len(judged.database),
        n_bits=judged.n_bits,
        at=at,
        mean_average_precision=MeanAveragePrecision(min(max(value, worst), best), worst, best),
        chance=float(means.chance),
        without_relevant=float(means.without_relevant),
        unlabelled=float(judged.unlabelled.mean()),
        precision=means.precision,
        recall=means.recall,
        candidates=means.candidates,
        empty_share=means.empty,
        list_sizes=list_sizes,
        precision_at=means.precision_at,
        recall_at=means.recall_at,
    )


def _sums(counts: Histograms, n_items: int, at: int | None, list_sizes: tuple[int, ...]) -> _Sums:
    inside, hits = (np.cumsum(count, axis=1) for count in counts)
    relevant = hits[:, -1]
    found = np.array([expected_hits(counts, size) for size in list_sizes]).reshape(len(list_sizes), len(relevant))
    return _Sums(
        average_precision=np.sum(average_precisions(counts, at), axis=1),
        chance=relevant.sum() / np.float64(max(n_items, 1)),
        without_relevant=(relevant == 0).sum(dtype=np.float64),
        precision=(hits / np.maximum(inside, 1)).sum(axis=0),
        recall=(hits / np.maximum(relevant, 1)[:, None]).sum(axis=0),
        candidates=inside.sum(axis=0, dtype=np.float64),
        empty=(inside == 0).sum(axis=0, dtype=np.float64),
        precision_at=found.sum(axis=1) / np.array(list_sizes, np.float64),
        recall_at=(found / np.maximum(relevant, 1)).sum(axis=1),
    )
