"""One segment of everything."""

from __future__ import annotations

from ..segments.joining import joined
from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer
from ..support.interrupts import interruptible
from ..support.progress import Tell


def compacted(snapshot: Snapshot, tell: Tell = lambda _: None) -> Snapshot:
    """Return a snapshot of the same codes in one segment, telling how many are copied; the same one if they are."""
    if snapshot.n_bits is None or (not snapshot.n_tail and sum(one.n_rows for one in snapshot.segments) == 0):
        return snapshot
    if len(snapshot.segments) == 1 and not snapshot.n_tail and not snapshot.segments[0].n_removed:
        return snapshot
    snapshot.retire_plans()
    segments: tuple[Segment, ...] = ()
    if snapshot.n_codes:
        one = joined(snapshot.parts, tell)
        segments = (interruptible(one.collapsed, one.codes.nbytes),)
    return Snapshot(snapshot.n_bits, segments, TailBuffer.empty(0, snapshot.code_size), 0, snapshot.next_id)
