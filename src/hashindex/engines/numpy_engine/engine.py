"""The plain NumPy engine: no compiler, no dependency, and slow. What the others do, in few lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..engine import ReadableEngine
from ..folding import FoldsByScan
from ..query import Relevance
from ..rows import Codes
from . import scan
from .clusters import NumpyClusters
from .common import distances_of
from .multi_index import NumpyMultiIndex


class NumpyEngine(ReadableEngine):
    """Searches written with NumPy alone, in one thread."""

    name = "numpy"
    description = "numpy"

    def __init__(self) -> None:
        self.scan = scan.NumpyScan()
        self.multi_index = NumpyMultiIndex(self.scan)
        self.clusters = NumpyClusters()
        self.folds = FoldsByScan(self.scan, distances_of)

    def count_distances(
        self,
        codes: Codes,
        queries: Codes,
        relevance: Relevance,
        n_threads: int,  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """See :class:`hashindex.engines.engine.Engine`."""
        return scan.count_distances(codes, queries, relevance)
