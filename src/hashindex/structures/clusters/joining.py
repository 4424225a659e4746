"""Where codes belong: those that have clusters of the same centroids already are not compared with them anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...engines import Engine
from ...engines.clusters import Clusters
from ...engines.rows import Codes
from ...segments.segment import Segment
from ...support.native import core

Places = tuple[NDArray[np.int64], NDArray[np.int32]]  # cluster and distance to its centroid of each code, (n,) both


def assigned(
    segment: Segment,
    centroids: Codes,
    parts: Sequence[tuple[Segment, Clusters | None]],
    engine: Engine,
    n_threads: int,
) -> Places:
    """The nearest centroid of each code of a segment, which was made of what is left of ``parts``, if there are any."""
    of, distances = np.full(len(segment.codes), -1, np.int64), np.zeros(len(segment.codes), np.int32)
    for part, clusters in parts:
        if clusters is not None and np.array_equal(clusters.centroids, centroids):
            known_of, known_distances = places(clusters)
            theirs, ours = _same(part, segment)
            of[ours], distances[ours] = known_of[theirs], known_distances[theirs]
    rest = np.flatnonzero(of < 0)
    if len(rest) == len(of):
        return engine.clusters.assign(segment.codes, centroids, n_threads)
    if len(rest):
        of[rest], distances[rest] = engine.clusters.assign(segment.codes[rest], centroids, n_threads)
    return of, distances


def places(clusters: Clusters) -> Places:
    """What :meth:`assign` said of each code of the clusters, read from their directories."""
    if core is None:
        return read_directories(clusters)
    return core.read_clusters(clusters.nearest, clusters.firsts, clusters.places, clusters.rows)


def read_directories(clusters: Clusters) -> Places:
    """:func:`places` without the native core."""
    entries = np.diff(clusters.firsts)
    own = np.repeat(np.arange(len(entries)), entries)  # the cluster of each entry
    step = np.arange(len(own)) - clusters.firsts[own]  # distances beyond the cluster's nearest code
    counts = np.append(np.diff(clusters.places.astype(np.int64)), 0)  # the last entry of a cluster is its end
    of, distances = np.full(len(clusters.rows), -1, np.int64), np.zeros(len(clusters.rows), np.int32)
    of[clusters.rows] = np.repeat(own, counts)
    distances[clusters.rows] = np.repeat(step + clusters.nearest[own], counts)
    return of, distances


def _same(part: Segment, segment: Segment) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which codes of ``part`` stand where among those of ``segment``, which has all of its rows that were not removed.

    Codes, not rows, where equal ones are stored once.
    """
    rows = part.live_rows()
    moved, _ = segment.find(part.ids_of(rows))
    return part.codes_of(rows), segment.codes_of(moved)
