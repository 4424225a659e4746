"""Native folds."""

from __future__ import annotations

from ... import _core
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows
from ..rows import Codes, Rows
from .core import Core


class NativeFolds:
    """See :class:`hashindex.engines.engine.FoldsSearches`."""

    def __init__(self, core: Core) -> None:
        self._native = core

    def build(self, codes: Codes, fold_size: int, n_threads: int) -> Codes:
        """See :class:`hashindex.engines.engine.FoldsSearches`."""
        native = self._native
        return _core.build_folds(codes, fold_size, native.isa, native.pool, n_threads)

    def step(self, folds: Codes, code_size: int) -> _core.Folds:
        """The folds themselves."""
        return _core.Folds(folds, code_size)

    def radius(self, rows: Rows, folds: Codes, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.FoldsSearches`."""
        return self._native.radius(rows, self.step(folds, rows.codes.shape[1]), query)

    def nearest(self, rows: Rows, folds: Codes, query: NearestQuery) -> NearestRows:
        """See :class:`hashindex.engines.engine.FoldsSearches`."""
        return self._native.nearest(rows, self.step(folds, rows.codes.shape[1]), query)
