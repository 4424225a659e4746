"""Searches of one part as the whole search of an index that has no other: what the native structures share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import _core
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows, TooManyHits, Work
from ..rows import Rows

if TYPE_CHECKING:
    from .engine import NativeEngine


def radius(engine: NativeEngine, rows: Rows, step: Any, query: RadiusQuery) -> RadiusRows:
    """All rows within the radii, by the structure of ``step``."""
    most_hits = query.most_hits if len(query.codes) > 1 else 0
    found = _of(engine, rows, step).radius(query.codes, query.radii, None, 0, most_hits, query.n_threads, True)
    if found is None:
        raise TooManyHits
    offsets, distances, ids, reports = found
    return RadiusRows(offsets, distances, ids, Work(*reports[0][:2]))


def nearest(engine: NativeEngine, rows: Rows, step: Any, query: NearestQuery) -> NearestRows:
    """The k nearest rows, by the structure of ``step``."""
    distances, ids, reports = _of(engine, rows, step).nearest(
        query.codes, query.k, query.radii, None, 0, query.n_threads, True
    )
    return NearestRows(distances, ids, Work(*reports[0][:2]))


def _of(engine: NativeEngine, rows: Rows, step: Any) -> _core.Plan:
    return engine.plan([(_core.Part(*rows, None, 0, None, None), step, None)])
