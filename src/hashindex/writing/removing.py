"""Removing codes: rows of segments are marked, the tail is copied without them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer


def known(snapshot: Snapshot, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of ``ids`` (n,) that are here."""
    return ids[snapshot.contains(ids)]


def without(snapshot: Snapshot, ids: NDArray[np.int64]) -> Snapshot:
    """Return a snapshot without ``ids`` (n,); KeyError for one that is not here."""
    ids = np.sort(ids)
    ids = ids[np.append(True, ids[1:] != ids[:-1])[: len(ids)]]
    unknown = ids[~snapshot.contains(ids)]
    if len(unknown):
        raise KeyError(f"id {unknown[0]} is not in the index; nothing was removed")
    if not len(ids):
        return snapshot
    snapshot.retire_plans()
    segments = []
    for segment in snapshot.segments:
        rows, here = segment.find(ids)
        kept = segment.without(rows[here]) if here.any() else segment
        segments += [] if kept is None else [kept]
    kept_tail = np.isin(snapshot.tail_ids, ids, invert=True)
    tail = TailBuffer(snapshot.tail_codes[kept_tail], snapshot.tail_ids[kept_tail])
    return Snapshot(snapshot.n_bits, tuple(segments), tail, len(tail.ids), snapshot.next_id)
