"""Removing codes: rows of segments are marked, the tail is copied without them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer


def without(snapshot: Snapshot, ids: NDArray[np.int64]) -> Snapshot:
    """Return a snapshot without ``ids`` (distinct), all of which must be here."""
    snapshot.retire_plans()
    segments = []
    for segment in snapshot.segments:
        rows, here = segment.find(ids)
        kept = segment.without(rows[here]) if here.any() else segment
        segments += [] if kept is None else [kept]
    kept_tail = np.isin(snapshot.tail_ids, ids, invert=True)
    tail = TailBuffer(snapshot.tail_codes[kept_tail], snapshot.tail_ids[kept_tail])
    return Snapshot(snapshot.n_bits, tuple(segments), tail, len(tail.ids), snapshot.next_id)
