"""The native linear scan."""

from __future__ import annotations

from ... import _core
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows
from ..rows import Rows
from .core import Core


class NativeScan:
    """See :class:`hashindex.engines.engine.ScanSearches`."""

    def __init__(self, core: Core) -> None:
        self._native, self._step = core, _core.Scan()

    def step(self) -> _core.Scan:
        """The structure itself: it has no arrays."""
        return self._step

    def radius(self, rows: Rows, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.ScanSearches`."""
        return self._native.radius(rows, self._step, query)

    def nearest(self, rows: Rows, query: NearestQuery) -> NearestRows:
        """See :class:`hashindex.engines.engine.ScanSearches`."""
        return self._native.nearest(rows, self._step, query)
