"""Native multi-index hashing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows
from ..rows import Codes, Rows
from ..tables import NO_SHELLS, Layout, Shells, Tables, n_copied
from .core import Core


class NativeMultiIndex:
    """See :class:`hashindex.engines.engine.MultiIndexSearches`."""

    def __init__(self, core: Core) -> None:
        self._native = core

    def build(self, codes: Codes, layout: Layout, n_threads: int) -> Tables:
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        n, native = n_copied(codes, len(layout.widths)), self._native
        offsets, rows, copies = _core.build_tables(codes, *layout, n, native.isa, native.pool, n_threads)
        return Tables(layout.masks, layout.widths, offsets, rows, copies)

    def step(self, tables: Tables, thresholds: NDArray[np.int32], shells: Shells) -> _core.MultiIndex:
        """The tables with what is planned."""
        return _core.MultiIndex(tables, thresholds, *shells)

    def radius(self, rows: Rows, tables: Tables, query: RadiusQuery, thresholds: NDArray[np.int32]) -> RadiusRows:
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        return self._native.radius(rows, self.step(tables, thresholds, NO_SHELLS), query)

    def nearest(self, rows: Rows, tables: Tables, query: NearestQuery, shells: Shells) -> NearestRows:
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        nowhere = np.full(len(tables.widths), -1, np.int32)
        return self._native.nearest(rows, self.step(tables, nowhere, shells), query)
