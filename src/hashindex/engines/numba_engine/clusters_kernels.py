"""The Numba kernels of clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..clusters import Clusters
from ..hits import MISSING, QUERY_SHIFT, ROW_BITS, Hits
from ..rows import Codes, Rows
from .common import Words, cut, distance_to, grown, is_removed, kernel, words_by_query

N_EARLY = 4  # clusters that a query enters first, so that its limit falls early
ENTERED = 2**30  # instead of the distance to a centroid


@kernel
def run_of(clusters: Clusters, c: int, distance: int, limit: int) -> tuple[int, int]:
    """What of cluster c a query must look at; see ``Clusters.runs``."""
    places = clusters.places
    first = min(max(int(clusters.firsts[c]), 0), len(places))
    last = min(max(int(clusters.firsts[c + 1]), first), len(places)) - 1
    low = first + max(distance - limit - int(clusters.nearest[c]), 0)
    high = min(first + distance + limit + 1 - int(clusters.nearest[c]), last)
    if low >= high or high <= first:
        return 0, 0
    return int(places[low]), min(int(places[high]), len(clusters.codes))


@kernel
def centroid_distances(clusters: Clusters, queries: Words, q: int, distances: NDArray[np.int64]) -> None:
    """Distances of query q to all centroids."""
    for c in range(len(distances)):
        distances[c] = distance_to(clusters.centroids, c, queries, q)


@kernel
def clusters_radius(among: Rows, clusters: Clusters, queries: Codes, radii: NDArray[np.int32]) -> tuple[Hits, int, int]:
    """Hits of all queries (numbered from bit QUERY_SHIFT on), in no order; runs entered, codes looked at."""
    words, distances = words_by_query(queries), np.empty(len(clusters.centroids), np.int64)
    log, n_found, n_runs, n_looked, last_row = np.empty(1024, np.int64), 0, 0, 0, len(among.codes) - 1
    for q in range(len(queries)):
        centroid_distances(clusters, words, q, distances)
        radius = int(radii[q])
        for c in range(len(distances)):
            begin, end = run_of(clusters, c, int(distances[c]), radius)
            if begin >= end:
                continue
            n_runs += 1
            n_looked += end - begin
            log = grown(log, n_found + end - begin)
            for place in range(begin, end):
                distance = distance_to(clusters.codes, place, words, q)
                row = min(int(clusters.rows[place]), last_row)
                if distance <= radius and not is_removed(among.removed, row):
                    log[n_found] = q << QUERY_SHIFT | distance << ROW_BITS | row
                    n_found += 1
    return log[:n_found], n_runs, n_looked


@kernel
def clusters_nearest(
    among: Rows,
    clusters: Clusters,
    queries: Codes,
    k: int,
    radii: NDArray[np.int32],
    most: int,
    proven: NDArray[np.bool_],
) -> tuple[Hits, int, int]:
    """The k least hits of each query (n_queries, k), unsorted, padded with MISSING; runs entered, codes looked at.

    With ``most`` those of so many clusters; ``proven`` (n_queries,) becomes false where others may be nearer.
    """
    words, n_clusters = words_by_query(queries), len(clusters.centroids)
    n_early = min(N_EARLY, n_clusters)
    distances, log = np.empty(n_clusters, np.int64), np.empty(2 * k + 64, np.int64)
    left_out, away, n_turns = np.empty(0, np.int64), np.empty(0, np.int64), n_early + n_clusters
    best, n_runs, n_looked, last_row = np.full((len(queries), k), MISSING), 0, 0, len(among.codes) - 1
    for q in range(len(queries)):
        centroid_distances(clusters, words, q, distances)
        limit, length, wants_more = int(radii[q]), 0, False
        if 0 < most < n_clusters:
            left_out = np.argsort(distances, kind="mergesort")[most:]
            away = distances[left_out]
            distances[left_out] = ENTERED
        for turn in range(n_turns + len(left_out)):
            if turn == n_turns:  # a radius from another part says that this one need not have k rows
                wants_more = length < k and radii[q] >= 8 * queries.shape[1]
            if turn < n_turns:
                c = int(np.argmin(distances)) if turn < n_early else turn - n_early
                begin, end = run_of(clusters, c, int(distances[c]), limit)
            else:
                c = int(left_out[turn - n_turns])
                begin, end = run_of(clusters, c, int(away[turn - n_turns]), limit)
            if turn < n_early:
                distances[c] = ENTERED
            if begin >= end:
                continue
            if turn >= n_turns and not wants_more:
                proven[q] = False
                break
            n_runs += 1
            n_looked += end - begin
            before = length
            for place in range(begin, end):
                distance = distance_to(clusters.codes, place, words, q)
                if distance > limit:
                    continue
                row = min(int(clusters.rows[place]), last_row)
                if is_removed(among.removed, row):
                    continue
                log[length] = distance << ROW_BITS | row
                length += 1
                if length == len(log):
                    limit, length = int(cut(log, length, k)) >> ROW_BITS, k
            if length >= k and length != before:
                limit, length = int(cut(log, length, k)) >> ROW_BITS, k
        n = min(length, k)
        best[q, :n] = log[:n]
    return best, n_runs, n_looked
