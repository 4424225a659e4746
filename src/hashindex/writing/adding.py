"""Adding codes: into the tail, and from a full tail into a segment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..segments.snapshot import MAX_ID, Snapshot, in_id_order
from ..segments.tail import TailBuffer
from ..support.interrupts import interruptible
from ..support.progress import Tell
from .merging import with_segment

TAIL_CODES = 16_384  # as many are scanned in about the time of one search by tables
SHORT_TAIL = TAIL_CODES // 2
ROOM = 32  # a new tail has room for one in so many codes, so that few adds copy it
INT64 = np.dtype(np.int64)
READ_BYTES = 2**22  # at once, by who wants to be told


def with_codes(
    snapshot: Snapshot,
    n_bits: int,
    codes: NDArray[np.uint8],
    ids: NDArray[np.int64],
    engine: Engine,
    *,
    counted: bool = False,
) -> Snapshot:
    """Return a snapshot with ``codes`` (n, code_size), or one, under new ``ids`` (n,); ``counted`` by :func:`free_ids`.

    A full tail becomes a segment, and small segments that have come close in size one.
    """
    if snapshot.n_bits is None:
        return with_codes(Snapshot.empty(n_bits), n_bits, codes, ids, engine)
    n = len(ids)
    if n == 0:
        return snapshot
    n_tail, tail, next_id = snapshot.n_tail, snapshot.tail, snapshot.next_id
    total = n_tail + n
    if counted:
        next_id += n
    else:
        if n > 1 and (ids[1:] < ids[:-1]).any():
            order = interruptible(lambda: np.argsort(ids), 16 * n)
            codes, ids = interruptible(lambda: (codes[order], ids[order]), n * (8 + snapshot.code_size))
        next_id = max(next_id, int(ids[-1]) + 1)
    most = SHORT_TAIL if total <= SHORT_TAIL else longest_tail(snapshot)
    if total > most or n > TAIL_CODES:
        parts = [(snapshot.tail_codes, snapshot.tail_ids), (codes.reshape(n, -1), ids)]
        snapshot.retire_plans()
        n_small = sum(one.n_rows for one in snapshot.segments if not one.is_large)
        n_bytes = (n_small + total) * (8 + snapshot.code_size)
        segments = interruptible(lambda: with_segment(snapshot.segments, n_bits, parts, engine), n_bytes)
        return Snapshot(n_bits, segments, TailBuffer.empty(0, snapshot.code_size), 0, next_id)
    if not counted and n_tail and ids[0] < tail.ids[n_tail - 1]:
        tail = TailBuffer(*in_id_order([(snapshot.tail_codes, snapshot.tail_ids), (codes.reshape(n, -1), ids)]))
        return snapshot.with_tail(tail, total, next_id)
    if total > len(tail.ids):  # grow by half, so that many small adds copy each code a few times only
        capacity = min(max(total, len(tail.ids) * 3 // 2, snapshot.n_codes // ROOM), most)
        tail = TailBuffer.empty(capacity, snapshot.code_size)
        tail.codes[:n_tail], tail.ids[:n_tail] = snapshot.tail_codes, snapshot.tail_ids
    tail.put(n_tail, codes, ids)
    return snapshot.with_tail(tail, total, next_id)


def appended(snapshot: Snapshot, codes: Any, engine: Engine) -> tuple[Snapshot, NDArray[np.int64]] | None:
    """The snapshot with plain codes for which the tail has room, and their ids; None: :func:`with_codes` must look."""
    n_tail, tail, next_id, size = snapshot.n_tail, snapshot.tail, snapshot.next_id, snapshot.code_size
    if snapshot.n_bits != 8 * size:
        return None
    most = SHORT_TAIL if n_tail < SHORT_TAIL else longest_tail(snapshot)
    ids = engine.append(tail.codes, tail.ids, n_tail, most, codes, next_id)
    if ids is None:
        return None
    n = len(ids)
    return snapshot.with_tail(tail, n_tail + n, next_id + n), ids


def longest_tail(snapshot: Snapshot) -> int:
    """Codes that stay in the tail: where there are tables it is what searches wait for, else as good as a segment."""
    return SHORT_TAIL if any(one.learned.states for one in snapshot.segments) else 2 * TAIL_CODES


def free_ids(snapshot: Snapshot, n: int) -> NDArray[np.int64]:
    """Return the next ``n`` ids that were never used; ValueError if there are none left."""
    if snapshot.next_id + n - 1 > MAX_ID:
        raise ValueError(f"fewer than {n} ids are left above {snapshot.next_id - 1}; bring your own with ids=")
    return np.arange(snapshot.next_id, snapshot.next_id + n, dtype=INT64)  # told, NumPy need not ask them


def read(codes: NDArray[np.uint8], tell: Tell) -> NDArray[np.uint8]:
    """Copy codes (n, code_size), or one, by slices, telling how many are done: a memory map is read from the disk."""
    if codes.ndim == 1:
        return codes
    own = np.empty_like(codes, subok=False)
    step = max(1, READ_BYTES // codes.shape[1])
    for begin in range(0, len(codes), step):
        own[begin : begin + step] = codes[begin : begin + step]
        tell(min(begin + step, len(codes)))
    return own


def check_new(snapshot: Snapshot, ids: NDArray[np.int64]) -> None:
    """Raise ValueError for an id that is given twice, already here, or too large."""
    ascending = np.sort(ids)
    twice = np.flatnonzero(ascending[1:] == ascending[:-1])
    if len(twice):
        raise ValueError(f"id {ascending[twice[0]]} is given twice")
    if len(ids) and ascending[-1] > MAX_ID:
        raise ValueError(f"ids must be at most {MAX_ID}, got {ascending[-1]}")
    known = ids[snapshot.contains(ids)]
    if len(known):
        raise ValueError(f"id {known[0]} is already in the index ({len(known)} of the {len(ids)} given are)")
