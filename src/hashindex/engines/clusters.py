"""Clusters of codes as flat arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..support.native import core
from .rows import Codes

MAX_CLUSTERED = 2**32 - 1  # codes: rows are uint32


class Clusters(NamedTuple):
    """Codes cluster by cluster, each in the order of (distance to the cluster's centroid, row).

    The directory of cluster c is ``places[firsts[c] : firsts[c + 1]]``, empty where the cluster is. Its entry j is the
    place of the first code at distance ``nearest[c] + j`` of the centroid or more; the last one is the cluster's end.
    A code within ``limit`` of a query lies where abs(d(query, centroid) - d(code, centroid)) <= limit: one run.
    """

    centroids: Codes  # (n_clusters, code_size)
    nearest: NDArray[np.int32]  # (n_clusters,) distance of the cluster's nearest code
    firsts: NDArray[np.int64]  # (n_clusters + 1,)
    places: NDArray[np.uint32]
    rows: NDArray[np.uint32]  # (n_codes,)
    codes: Codes  # (n_codes, code_size), in the order of ``rows``

    def runs(self, distances: NDArray[np.int64], limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Begin and end, (n_clusters,), of what a query at ``distances`` (n_clusters,) of the centroids must look at.

        Kept within the codes: a map of a damaged file may hold anything.
        """
        firsts = np.clip(self.firsts, 0, len(self.places))
        last = np.maximum(firsts[1:], firsts[:-1]) - 1
        low = firsts[:-1] + np.maximum(distances - limit - self.nearest, 0)
        high = np.minimum(firsts[:-1] + distances + limit + 1 - self.nearest, last)
        some = (low < high) & (high > firsts[:-1])
        begins, ends = np.zeros(len(low), np.int64), np.zeros(len(low), np.int64)
        begins[some], ends[some] = self.places[low[some]], np.minimum(self.places[high[some]], len(self.codes))
        return np.minimum(begins, ends), ends


def clustered(codes: Codes, centroids: Codes, of: NDArray[np.int64], distances: NDArray[np.int32]) -> Clusters:
    """Codes (n, code_size) around the centroids ``of`` (n,) at those ``distances`` (n,)."""
    if core is None:
        return sorted_into_clusters(codes, centroids, of, distances)
    return Clusters(centroids, *core.cluster_codes(np.ascontiguousarray(codes), of, distances, len(centroids)))


def sorted_into_clusters(
    codes: Codes, centroids: Codes, of: NDArray[np.int64], distances: NDArray[np.int32]
) -> Clusters:
    """:func:`clustered` without the native core."""
    n_clusters, n_distances = len(centroids), 8 * codes.shape[1] + 1
    near, own = distances.astype(np.min_scalar_type(n_distances)), of.astype(np.min_scalar_type(n_clusters))
    rows = np.argsort(near, kind="stable")  # numbers of two bytes are sorted by these, which is faster
    rows = rows[np.argsort(own[rows], kind="stable")]
    counts = np.bincount(of * n_distances + distances, minlength=n_clusters * n_distances).reshape(
        n_clusters, n_distances
    )
    before = np.cumsum(counts.ravel()).reshape(counts.shape) - counts  # codes before those at a distance
    ends = before[:, -1] + counts[:, -1]
    some = counts.sum(axis=1) > 0
    nearest = (counts > 0).argmax(axis=1)
    farthest = n_distances - 1 - (counts[:, ::-1] > 0).argmax(axis=1)
    sizes = np.where(some, farthest - nearest + 2, 0)
    firsts = np.concatenate([[0], np.cumsum(sizes)])
    at = np.arange(n_distances + 1)
    inside = some[:, None] & (at >= nearest[:, None]) & (at <= farthest[:, None] + 1)
    places = np.concatenate([before, ends[:, None]], axis=1)[inside]
    return Clusters(
        centroids, nearest.astype(np.int32), firsts, places.astype(np.uint32), rows.astype(np.uint32), codes[rows]
    )
