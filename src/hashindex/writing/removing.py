"""Removing codes: rows of segments are marked, the tail is copied without them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..inputs.ids import distinct_ids
from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer
from ..support.native import core

MISSING = "id {} is not in the index; nothing was changed"


def known(snapshot: Snapshot, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of ``ids`` (n,) that are here."""
    return ids[snapshot.contains(ids)]


def without(snapshot: Snapshot, ids: NDArray[np.int64]) -> Snapshot:
    """Return a snapshot without ``ids`` (n,); KeyError for one that is not here."""
    if len(ids) <= 1:
        return _without_one(snapshot, int(ids[0])) if len(ids) else snapshot
    *gone, in_tail = (_rows_of if core is None else _rows_found)(snapshot, ids)
    left = [one.without(rows) if len(rows) else one for one, rows in zip(snapshot.segments, gone, strict=True)]
    if not len(in_tail):
        return _with(snapshot, left, snapshot.tail, snapshot.n_tail)
    kept = np.ones(snapshot.n_tail, np.bool_)
    kept[in_tail] = False
    tail = TailBuffer(snapshot.tail_codes[kept], snapshot.tail_ids[kept])
    return _with(snapshot, left, tail, len(tail.ids))


def _rows_found(snapshot: Snapshot, ids: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of ``ids`` (n,), each once, in each segment and in the tail; KeyError for an id that none has."""
    assert core is not None
    tail = (0, snapshot.tail.ids, snapshot.n_tail, None)
    rows, missing = core.rows_of_ids(ids, [*(one.place for one in snapshot.segments), tail])
    if missing >= 0:
        raise KeyError(MISSING.format(missing))
    return rows


def _rows_of(snapshot: Snapshot, ids: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """:func:`_rows_found` without the native core."""
    ids = distinct_ids(ids)
    at, known = snapshot.in_tail(ids)
    in_tail, found = at[known], []
    for segment in snapshot.segments:
        rows, here = segment.find(ids)
        found.append(rows[here])
        known |= here
    if not known.all():
        raise KeyError(MISSING.format(ids[known.argmin()]))
    return [*found, in_tail]


def _without_one(snapshot: Snapshot, one: int) -> Snapshot:
    segments = snapshot.segments
    for i, segment in enumerate(segments):
        row = segment.row_of(one)
        if row is not None:
            kept = segment.without(np.array([row]))
            if kept is not None and kept.codes is segment.codes:
                return snapshot.with_less((*segments[:i], kept, *segments[i + 1 :]), snapshot.tail, snapshot.n_tail)
            return _with(snapshot, [*segments[:i], kept, *segments[i + 1 :]], snapshot.tail, snapshot.n_tail)
    ids, codes = snapshot.tail_ids, snapshot.tail_codes
    row = int(ids.searchsorted(one))
    if row == len(ids) or ids[row] != one:
        raise KeyError(MISSING.format(one))
    tail = TailBuffer(np.delete(codes, row, axis=0), np.delete(ids, row))
    return snapshot.with_less(segments, tail, len(tail.ids))


def _with(snapshot: Snapshot, left: list[Segment | None], tail: TailBuffer, n_tail: int) -> Snapshot:
    """The snapshot with what was left of its segments, whose plans go on unless one was copied or is gone."""
    segments = tuple(segment for segment in left if segment is not None)
    same = len(segments) == len(left) and all(
        new.codes is old.codes for new, old in zip(segments, snapshot.segments, strict=True)
    )
    if same:
        return snapshot.with_less(segments, tail, n_tail)
    snapshot.retire_plans()
    return Snapshot(snapshot.n_bits, segments, tail, n_tail, snapshot.next_id)
