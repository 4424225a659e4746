"""What the native structures share: the kernel by name, the threads, and searches of one part.

A search of one part is the whole search of an index that has no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..query import NearestQuery, RadiusQuery
from ..removed import Removed
from ..results import NearestRows, RadiusRows, TooManyHits, Work
from ..rows import Rows


class Core:
    """One ISA and its pool of threads."""

    def __init__(self, isa: str) -> None:
        self.isa, self.pool = isa, _core.ThreadPool()

    def plan(self, steps: Sequence[tuple[Any, Any, NDArray[np.int64] | None]]) -> _core.Plan:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.Plan(self.isa, self.pool, list(steps))

    def radius(self, rows: Rows, step: Any, query: RadiusQuery) -> RadiusRows:
        """All rows within the radii, by the structure of ``step``."""
        most_hits = query.most_hits if len(query.codes) > 1 else 0
        plan = self._plan_of(rows, step)
        lost = _lost(rows)
        found = plan.radius(query.codes, query.radii, None, 0, lost, most_hits, query.n_threads, True)
        if found is None:
            raise TooManyHits
        offsets, distances, ids, reports = found
        return RadiusRows(offsets, distances, ids, Work(*reports[0][:2]))

    def nearest(self, rows: Rows, step: Any, query: NearestQuery) -> NearestRows:
        """The k nearest rows, by the structure of ``step``."""
        plan = self._plan_of(rows, step)
        proven = np.ones(len(query.codes), np.bool_)
        distances, ids, reports = plan.nearest(
            query.codes, query.k, query.radii, None, 0, _lost(rows), query.n_threads, True, proven
        )
        return NearestRows(distances, ids, Work(*reports[0][:2]), proven)

    def _plan_of(self, rows: Rows, step: Any) -> _core.Plan:
        return self.plan([(_core.Part(rows.codes, None, 0, None, None), step, None)])


def _lost(rows: Rows) -> list[Any] | None:
    """What of one part was removed."""
    if not len(rows.removed):
        return None
    return [(Removed.of(rows.removed, len(rows.codes)).arrays, None)]
