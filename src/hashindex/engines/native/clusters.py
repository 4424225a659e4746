"""Native clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..clusters import Clusters
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows
from ..rows import Codes, Rows
from .core import Core


class NativeClusters:
    """See :class:`hashindex.engines.engine.ClustersSearches`."""

    def __init__(self, core: Core) -> None:
        self._native = core

    def step(self, clusters: Clusters, most: int = 0) -> _core.Clusters:
        """The clusters themselves, and how many of them are visited."""
        return _core.Clusters(clusters, most)

    def assign(self, codes: Codes, centroids: Codes, n_threads: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        native = self._native
        return _core.assign_codes(codes, centroids, native.isa, native.pool, n_threads)

    def radius(self, rows: Rows, clusters: Clusters, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        return self._native.radius(rows, self.step(clusters), query)

    def nearest(self, rows: Rows, clusters: Clusters, query: NearestQuery, most: int = 0) -> NearestRows:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        return self._native.nearest(rows, self.step(clusters, most), query)
