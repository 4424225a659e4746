"""What the triangle inequality leaves, by how far a query looks: of clusters that are there, or from a sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...engines.clusters import Clusters
from ...engines.numpy_engine.common import words_of
from ...engines.rows import Codes
from ..sampling import distances_between, sampled, shares_within

QUERIES, CENTROIDS = 32, 512  # sampled codes
FEWEST_OTHERS, MOST_OTHERS = 256, 2048
MOST_WORDS = 2**21  # compared: some milliseconds
BETTER = 0.7  # share that trained centroids, and more of them, leave of what sampled ones do, where these leave little


class Left(NamedTuple):
    """Per limit, (n_bits + 1,): shares of the codes that must be looked at, and of the clusters entered."""

    codes: NDArray[np.float64]
    clusters: NDArray[np.float64]
    nearest: float  # share of the codes that a query's nearest cluster has: the k nearest begin with all of it


def left_of_clusters(clusters: Clusters, n_limits: int) -> Left:
    """What queries like some of the codes find left, on average."""
    n = len(clusters.codes)
    centroids, sampled = words_of(clusters.centroids), np.arange(0, n, max(1, n // MOST_OTHERS))[:MOST_OTHERS]
    to_queries = distances_between(clusters.centroids, clusters.codes[:: max(1, n // QUERIES)][:QUERIES])
    sizes = np.diff(clusters.firsts)
    some = np.flatnonzero(sizes > 1)
    begins = clusters.places[clusters.firsts[some]].astype(np.int64)  # of clusters, one after the other
    of = some[np.searchsorted(begins, sampled, side="right") - 1]
    own = words_of(clusters.codes[sampled]) ^ centroids[:, of]
    nearest = np.bitwise_count(own).sum(axis=0, dtype=np.int32)
    away = np.abs(to_queries[of] - nearest[:, None])
    low = clusters.nearest[some, None]
    beyond = np.maximum(np.maximum(low - to_queries[some], to_queries[some] - low - sizes[some, None] + 2), 0)
    of_all = np.diff(np.append(begins, n)) / n
    entered = shares_within(beyond, n_limits) * (len(some) / len(sizes))
    return Left(shares_within(away, n_limits), entered, float((of_all**2).sum()))


def left_of_sample(codes: Codes, n_limits: int) -> Left:
    """What clusters of codes (n, code_size) would leave: some of them serve as centroids for others."""
    n_others = min(max(MOST_WORDS * 8 // (CENTROIDS * codes.shape[1]), FEWEST_OTHERS), MOST_OTHERS)
    n = QUERIES + CENTROIDS + n_others
    if len(codes) < n:
        return Left(np.ones(n_limits), np.ones(n_limits), 1.0)
    queries, centroids, others = np.split(sampled(codes, n), [QUERIES, QUERIES + CENTROIDS])
    to_centroids = distances_between(others, centroids)
    of = to_centroids.argmin(axis=1)
    nearest = to_centroids[np.arange(len(of)), of]
    shares = shares_within(np.abs(distances_between(centroids, queries)[of] - nearest[:, None]), n_limits)
    own = np.bincount(of) / len(of)
    trained = shares * (BETTER + (1 - BETTER) * shares)  # of codes that do not cluster all stay
    return Left(trained, np.minimum(2 * shares, 1.0), float((own**2).sum()))
