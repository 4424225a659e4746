"""The Numba engine: the native engine's searches without a C++ compiler."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..engine import ReadableEngine
from ..folding import FoldsByScan
from ..query import Relevance
from ..rows import Codes
from . import scan
from .clusters import NumbaClusters
from .folds import distances_of
from .multi_index import NumbaMultiIndex


class NumbaEngine(ReadableEngine):
    """Searches compiled by Numba at their first call."""

    name = "numba"
    description = "numba"

    def __init__(self) -> None:
        self.scan = scan.NumbaScan()
        self.multi_index = NumbaMultiIndex(self.scan)
        self.clusters = NumbaClusters(self.scan)
        self.folds = FoldsByScan(self.scan, distances_of)

    def count_distances(self, codes: Codes, queries: Codes, relevance: Relevance, n_threads: int) -> NDArray[np.int64]:
        """See :class:`hashindex.engines.engine.Engine`."""
        return scan.count_distances(codes, queries, relevance, n_threads)
