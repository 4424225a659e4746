"""Searching in a part of the codes: a snapshot that has no others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer
from ..support.interrupts import interruptible

Filter = NDArray[np.int64] | NDArray[np.bool_]  # ids, ascending and distinct; or a mask
FEW = 16  # an allowed code in so many is few: they are copied, and searched alone


def restricted(snapshot: Snapshot, allow: Filter | None, deny: Filter | None) -> Snapshot:
    """The same state as if only the allowed codes had been added, and not those that are denied.

    Few allowed codes cost what they would in an index of their own, and their copies; else the others are marked as
    removed codes are, which costs a look at each row's mark.
    """
    if allow is not None:
        n_allowed = int(np.count_nonzero(allow)) if allow.dtype == np.bool_ else len(allow)
        if n_allowed * FEW <= snapshot.n_codes:
            ids = np.flatnonzero(allow) if allow.dtype == np.bool_ else allow.astype(np.int64)
            if deny is not None:
                ids = ids[~_named(deny, ids)]
            return interruptible(lambda: _subset(snapshot, ids), 16 * len(ids))
    return interruptible(lambda: _marked(snapshot, allow, deny), 8 * snapshot.n_codes)


def _marked(snapshot: Snapshot, allow: Filter | None, deny: Filter | None) -> Snapshot:
    """The snapshot with all others marked."""
    segments = tuple(_left(segment, allow, deny) for segment in snapshot.segments)
    kept = np.ones(snapshot.n_tail, np.bool_) if allow is None else _named(allow, snapshot.tail_ids)
    if deny is not None:
        kept &= ~_named(deny, snapshot.tail_ids)
    if kept.all():
        return snapshot.with_less(segments, snapshot.tail, snapshot.n_tail)
    tail = TailBuffer(snapshot.tail_codes[kept], snapshot.tail_ids[kept])
    return snapshot.with_less(segments, tail, len(tail.ids))


def _subset(snapshot: Snapshot, ids: NDArray[np.int64]) -> Snapshot:
    """Copies of the codes under those of ``ids``, ascending, that are here."""
    ids, codes = snapshot.found(ids)
    return Snapshot(snapshot.n_bits, (), TailBuffer(codes, ids), len(ids), snapshot.next_id)


def _left(segment: Segment, allow: Filter | None, deny: Filter | None) -> Segment:
    """What is left of a segment."""
    if allow is None and deny is not None and deny.dtype != np.bool_ and len(deny) * FEW <= segment.n_rows:
        rows, here = segment.find(deny.astype(np.int64))
        return segment.denied(rows[here]) if here.any() else segment
    kept = np.ones(segment.n_rows, np.bool_) if allow is None else _rows(segment, allow)
    if deny is not None:
        kept &= ~_rows(segment, deny)
    return segment.only(kept)


def _rows(segment: Segment, named: Filter) -> NDArray[np.bool_]:
    """Which rows of a segment are named, (n_rows,)."""
    marks = np.zeros(segment.n_rows, np.bool_)
    if named.dtype == np.bool_:
        if segment.ids is not None:
            return _named(named, segment.ids)
        inside = named[segment.first_id : segment.first_id + segment.n_rows]
        marks[: len(inside)] = inside
    else:
        rows, here = segment.find(named.astype(np.int64))
        marks[rows[here]] = True
    return marks


def _named(named: Filter, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of ``ids`` (n,), ascending, are named."""
    if named.dtype == np.bool_:
        marks = np.zeros(len(ids), np.bool_)
        inside = ids[: ids.searchsorted(len(named))]
        marks[: len(inside)] = named[inside]
        return marks
    at = np.minimum(np.searchsorted(named, ids), max(len(named) - 1, 0))
    found: NDArray[np.bool_] = named[at] == ids if len(named) else np.zeros(len(ids), np.bool_)
    return found
