"""The native linear scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import _core
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows
from ..rows import Rows
from . import plan

if TYPE_CHECKING:
    from .engine import NativeEngine


class NativeScan:
    """See :class:`hashindex.engines.engine.ScanSearches`."""

    def __init__(self, engine: NativeEngine) -> None:
        self._engine, self._step = engine, _core.Scan()

    def step(self) -> _core.Scan:
        """The structure itself: it has no arrays."""
        return self._step

    def radius(self, rows: Rows, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.ScanSearches`."""
        return plan.radius(self._engine, rows, self._step, query)

    def nearest(self, rows: Rows, query: NearestQuery) -> NearestRows:
        """See :class:`hashindex.engines.engine.ScanSearches`."""
        return plan.nearest(self._engine, rows, self._step, query)
