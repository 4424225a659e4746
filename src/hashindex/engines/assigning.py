"""To which centroid codes belong, found by scans of the centroids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .engine import ScanSearches
from .query import NearestQuery
from .rows import Codes, Rows

MANY = 2**18  # codes at once


def nearest_centroids(
    scan: ScanSearches, codes: Codes, centroids: Codes, n_threads: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The nearest centroid of each code, the first of those as near, and how far it is, by scans of the centroids."""
    of, distances = np.empty(len(codes), np.int64), np.empty(len(codes), np.int32)
    for begin in range(0, len(codes), MANY):
        part = codes[begin : begin + MANY]
        radii = np.full(len(part), 8 * codes.shape[1], np.int32)
        near = scan.nearest(Rows(centroids), NearestQuery(part, 1, radii, n_threads))
        of[begin : begin + MANY], distances[begin : begin + MANY] = near.rows[:, 0], near.distances[:, 0]
    return of, distances
