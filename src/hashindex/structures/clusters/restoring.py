"""Clusters from a file: whether they fit a segment; the directories are looked at, nothing larger is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engines.clusters import MAX_CLUSTERED, Clusters
from ...segments.segment import Segment
from .codebook import MOST

DTYPES = {"centroids": "u1", "nearest": "i4", "firsts": "i8", "places": "u4", "rows": "u4", "codes": "u1"}


def restored(segment: Segment, arrays: dict[str, NDArray[Any]]) -> Clusters:
    """Return the clusters of ``segment``; ValueError if they are none, or of other codes."""
    for field, dtype in DTYPES.items():
        if field not in arrays or arrays[field].dtype != np.dtype(dtype):
            raise ValueError(f"clusters need {field} of dtype {dtype}")
    clusters = Clusters(*(arrays[field] for field in Clusters._fields))
    n, code_size = segment.codes.shape
    n_clusters = len(clusters.centroids)
    if clusters.codes.shape != (n, code_size) or clusters.rows.shape != (n,) or n >= MAX_CLUSTERED:
        raise ValueError(f"clusters of codes of shape {clusters.codes.shape} do not fit {n} codes")
    if clusters.centroids.shape != (n_clusters, code_size) or not 1 <= n_clusters <= MOST:
        raise ValueError(f"centroids of shape {clusters.centroids.shape} do not fit {code_size}-byte codes")
    if clusters.nearest.shape != (n_clusters,) or clusters.firsts.shape != (n_clusters + 1,):
        raise ValueError(f"directories of shape {clusters.firsts.shape} do not fit {n_clusters} centroids")
    if clusters.places.ndim != 1:
        raise ValueError(f"places of shape {clusters.places.shape}")
    # What is small is kept in memory of its own: nobody changes it any more.
    small = {field: arrays[field].copy() for field in ("centroids", "nearest", "firsts", "places")}
    clusters = clusters._replace(**small)
    _check_directories(clusters)
    return clusters


def _check_directories(clusters: Clusters) -> None:
    """ValueError unless each cluster follows the one before, and all together have all codes."""
    _, nearest, firsts, places, rows, codes = clusters
    n_bits = 8 * codes.shape[1]
    if firsts[0] != 0 or firsts[-1] != len(places) or (firsts < 0).any() or (firsts > len(places)).any():
        raise ValueError(f"directories from {firsts[0]} to {firsts[-1]} do not fit {len(places)} places")
    sizes = np.diff(firsts)
    if (sizes < 0).any() or (sizes == 1).any():
        raise ValueError("directories that do not follow each other")
    if (nearest < 0).any() or (nearest + np.maximum(sizes - 2, 0) > n_bits).any():
        raise ValueError(f"directories of distances that codes of {n_bits} bits do not have")
    begins, ends = firsts[:-1][sizes > 0], firsts[1:][sizes > 0] - 1
    if len(begins) == 0 or places[0] != 0 or places[-1] != len(rows):
        raise ValueError(f"places of other than {len(rows)} codes")
    if (places[1:] < places[:-1]).any() or (places[begins[1:]] != places[ends[:-1]]).any():
        raise ValueError("places that do not ascend")
