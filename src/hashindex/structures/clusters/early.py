"""How many clusters must be visited so that a search finds a wanted share of the nearest: by some of the codes."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from ...engines import Engine
from ...engines.clusters import Clusters
from ...engines.query import NearestQuery, RadiusQuery
from ...engines.results import TooManyHits
from ...engines.rows import Codes, Rows
from ..sampling import distances_between

FEWEST_QUERIES, MOST_QUERIES = 16, 512
MOST_NEIGHBOURS = 2**16  # of all queries
COPIES = 8  # of a code, itself among them, that are looked past
TIES = 4  # times k: so many codes that are as near as the k-th, or nearer, are looked up
MANY_TIES = 64  # times k: where there are more, only the k nearest are


def ranks(codes: Codes, clusters: Clusters, k: int, engine: Engine, n_threads: int) -> NDArray[np.int64]:
    """For some of the codes, left out as neighbours: after how many clusters each of the k nearest is found.

    Their copies are left out too. Returns (n_queries, k), from 0 on, ascending. A neighbour is found by its distance:
    any code as near will do.
    """
    n_queries = min(max(MOST_NEIGHBOURS // k, FEWEST_QUERIES), MOST_QUERIES)
    chosen = np.unique(np.linspace(0, len(codes) - 1, n_queries).astype(np.int64))
    queries, n_bits = codes[chosen], 8 * codes.shape[1]
    wide = min(k + COPIES, len(codes))
    nearest = NearestQuery(queries, wide, np.full(len(queries), n_bits, np.int32), n_threads)
    near = engine.clusters.nearest(Rows(codes), clusters, nearest)
    kth = np.minimum((near.distances == 0).sum(axis=1) + k, wide) - 1
    radii = near.distances[np.arange(len(queries)), kth]
    within = RadiusQuery(queries, radii, n_threads, MANY_TIES * near.rows.size)
    try:
        offsets, distances, rows, _ = engine.clusters.radius(Rows(codes), clusters, within)
    except TooManyHits:
        offsets, distances, rows = np.arange(len(queries) + 1) * wide, near.distances.ravel(), near.rows.ravel()
    of_query = np.repeat(np.arange(len(queries)), np.diff(offsets))
    places = np.arange(len(rows)) - offsets[of_query]
    kept = (distances > 0) & (places < TIES * k + COPIES)
    rows, of_query, places = rows[kept], of_query[kept], places[kept]
    of, _ = engine.clusters.assign(codes[rows], clusters.centroids, n_threads)
    order = np.argsort(distances_between(queries, clusters.centroids), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None], axis=1)
    found_after = np.full((len(queries), TIES * k + COPIES), order.shape[1])
    found_after[of_query, places] = rank[of_query, of]
    return np.sort(found_after, axis=1)[:, :k]


def fewest(found_after: NDArray[np.int64], n_clusters: int, recall: float) -> int:
    """The fewest clusters whose recall is ``recall`` at least, by :func:`ranks`, less its standard error."""

    def is_enough(most: int) -> bool:
        shares = (found_after < most).mean(axis=1)
        return bool(shares.mean() - shares.std() / np.sqrt(len(shares)) >= recall)

    return 1 + bisect_left(range(1, n_clusters), True, key=is_enough)
