"""Clusters of the Numba engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..assigning import nearest_centroids
from ..clusters import Clusters
from ..hits import HitBudget, Hits, nearest_rows
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows, Work
from ..rows import Codes, Rows
from . import clusters_kernels as kernels
from .calls import blocks_of, frozen, frozen_all, joined, paced, summed
from .scan import NumbaScan

VISITING_QUERIES = 1024  # per block


class NumbaClusters:
    """See :class:`hashindex.engines.engine.ClustersSearches`."""

    def __init__(self, scan: NumbaScan) -> None:
        self._scan = scan

    def assign(self, codes: Codes, centroids: Codes, n_threads: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        return nearest_centroids(self._scan, codes, centroids, n_threads)

    def step(self, clusters: Clusters, most: int = 0) -> None:
        """None: no whole searches here."""

    def radius(self, rows: Rows, clusters: Clusters, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        codes, radii, rows, clusters = frozen(query.codes), frozen(query.radii), frozen_all(rows), frozen_all(clusters)
        budget = HitBudget(query.most_hits, len(codes))
        blocks = blocks_of(len(codes), budget.block(VISITING_QUERIES), query.n_threads)

        def search(block: slice) -> tuple[Hits, Work]:
            hits, *work = kernels.clusters_radius(rows, clusters, codes[block], radii[block])
            return np.sort(budget.take(hits)), Work(*work)

        blocks, found = paced(search, blocks, query.n_threads)
        return joined([hits for hits, _ in found], blocks, summed([work for _, work in found]))

    def nearest(self, rows: Rows, clusters: Clusters, query: NearestQuery, most: int = 0) -> NearestRows:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        codes, radii, rows, clusters = frozen(query.codes), frozen(query.radii), frozen_all(rows), frozen_all(clusters)

        proven = np.ones(len(codes), np.bool_)

        def search(block: slice) -> tuple[Hits, Work]:
            hits, *work = kernels.clusters_nearest(
                rows, clusters, codes[block], query.k, radii[block], most, proven[block]
            )
            return np.sort(hits), Work(*work)

        _, found = paced(search, blocks_of(len(codes), VISITING_QUERIES, query.n_threads), query.n_threads)
        none = np.empty((0, query.k), np.int64)
        near = nearest_rows(np.concatenate([none, *(hits for hits, _ in found)]), summed([work for _, work in found]))
        return near._replace(proven=proven)
