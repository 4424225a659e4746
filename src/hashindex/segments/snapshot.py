"""One consistent state of an index: what a search sees, whatever is added or removed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..inputs.numbers import code_size
from .segment import Segment

MAX_ID = np.iinfo(np.int64).max - 1
TAIL_CODES = 16_384  # as many are scanned in about the time of one search by tables
GROWTH = 4  # a segment is merged into the next when that is not this many times larger


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Immutable segments, and a small tail that takes what is added.

    The tail's rows lie in id order. Its buffers have room behind the last row: only the newest snapshot's successor
    writes there, and no older snapshot looks. A full tail becomes a segment, and segments that have come close in size
    one, so that each code is copied about log(n) / log(GROWTH) times however it comes.
    """

    n_bits: int | None
    segments: tuple[Segment, ...]
    buffer: NDArray[np.uint8]  # (capacity, code_size)
    id_buffer: NDArray[np.int64]  # (capacity,)
    n_tail: int
    next_id: int  # above every id ever used
    tail: Segment | None = field(init=False)  # the tail in the form of a segment; None if it is empty

    def __post_init__(self) -> None:
        tail = None
        if self.n_tail and self.n_bits is not None:
            tail = Segment.of(self.n_bits, self.tail_codes, self.tail_ids)
        object.__setattr__(self, "tail", tail)

    @classmethod
    def empty(cls, n_bits: int | None) -> Snapshot:
        """No codes yet; ``n_bits`` may be unknown."""
        return cls(n_bits, (), np.empty((0, code_size(n_bits or 0)), np.uint8), np.empty(0, np.int64), 0, 0)

    @property
    def parts(self) -> tuple[Segment, ...]:
        """Segments, and the tail unless it is empty."""
        return self.segments if self.tail is None else (*self.segments, self.tail)

    @property
    def n_codes(self) -> int:
        """Codes in segments and tail."""
        return self.n_tail + sum(segment.n_codes for segment in self.segments)

    @property
    def tail_codes(self) -> NDArray[np.uint8]:
        """uint8 (n_tail, code_size)."""
        return self.buffer[: self.n_tail]

    @property
    def tail_ids(self) -> NDArray[np.int64]:
        """int64 (n_tail,), ascending."""
        return self.id_buffer[: self.n_tail]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.buffer.nbytes + self.id_buffer.nbytes + sum(segment.nbytes for segment in self.segments)

    def with_codes(self, n_bits: int, codes: NDArray[np.uint8], ids: NDArray[np.int64]) -> Snapshot:
        """Return a snapshot with ``codes`` (n, code_size) under the new ``ids`` (n,) too."""
        if self.n_bits is None:
            return Snapshot.empty(n_bits).with_codes(n_bits, codes, ids)
        if len(ids) == 0:
            return self
        if (ids[1:] < ids[:-1]).any():
            order = np.argsort(ids)
            codes, ids = codes[order], ids[order]
        next_id = max(self.next_id, int(ids[-1]) + 1)
        total = self.n_tail + len(ids)
        if total > TAIL_CODES:
            merged = _merged(n_bits, [(self.tail_codes, self.tail_ids), (codes, ids)])
            return self._empty_tail(_with_segment(self.segments, merged), next_id)
        if self.n_tail and ids[0] < self.tail_ids[-1]:
            codes, ids = _in_id_order([(self.tail_codes, self.tail_ids), (codes, ids)])
            return Snapshot(n_bits, self.segments, codes, ids, total, next_id)
        buffer, id_buffer = self.buffer, self.id_buffer
        if total > len(buffer):  # grow by half, so that many small adds copy each code a few times only
            capacity = min(max(total, len(buffer) * 3 // 2), TAIL_CODES)
            buffer = np.empty((capacity, codes.shape[1]), np.uint8)
            id_buffer = np.empty(capacity, np.int64)
            buffer[: self.n_tail], id_buffer[: self.n_tail] = self.tail_codes, self.tail_ids
        buffer[self.n_tail : total], id_buffer[self.n_tail : total] = codes, ids
        return Snapshot(n_bits, self.segments, buffer, id_buffer, total, next_id)

    def without(self, ids: NDArray[np.int64]) -> Snapshot:
        """Return a snapshot without ``ids`` (distinct), all of which must be here."""
        segments = []
        for segment in self.segments:
            rows, here = segment.find(ids)
            kept = segment.without(rows[here]) if here.any() else segment
            segments += [] if kept is None else [kept]
        kept_tail = np.isin(self.tail_ids, ids, invert=True)
        tail, tail_ids = self.tail_codes[kept_tail], self.tail_ids[kept_tail]
        return Snapshot(self.n_bits, tuple(segments), tail, tail_ids, len(tail_ids), self.next_id)

    def contains(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``ids`` (n,) are here."""
        here = np.isin(ids, self.tail_ids)
        for segment in self.segments:
            here |= segment.find(ids)[1]
        return here

    def all_codes(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Codes (n_codes, code_size) and ids (n_codes,) in id order, as arrays of their own."""
        return _in_id_order([*(segment.live() for segment in self.segments), (self.tail_codes, self.tail_ids)])

    def free_ids(self, n: int) -> NDArray[np.int64]:
        """Return the next ``n`` ids that were never used; ValueError if there are none left."""
        if self.next_id + n - 1 > MAX_ID:
            raise ValueError(f"fewer than {n} ids are left above {self.next_id - 1}; bring your own with ids=")
        return np.arange(self.next_id, self.next_id + n, dtype=np.int64)

    def check_new(self, ids: NDArray[np.int64]) -> None:
        """Raise ValueError for an id that is given twice, already here, or too large."""
        ascending = np.sort(ids)
        twice = np.flatnonzero(ascending[1:] == ascending[:-1])
        if len(twice):
            raise ValueError(f"id {ascending[twice[0]]} is given twice")
        if len(ids) and ascending[-1] > MAX_ID:
            raise ValueError(f"ids must be at most {MAX_ID}, got {ascending[-1]}")
        known = ids[self.contains(ids)]
        if len(known):
            raise ValueError(f"id {known[0]} is already in the index ({len(known)} of the {len(ids)} given are)")

    def _empty_tail(self, segments: tuple[Segment, ...], next_id: int) -> Snapshot:
        return Snapshot(self.n_bits, segments, self.buffer[:0], self.id_buffer[:0], 0, next_id)


def _with_segment(segments: tuple[Segment, ...], new: Segment) -> tuple[Segment, ...]:
    """Append ``new``, merged with the newest segments that are not ``GROWTH`` times larger than what follows them."""
    first, n_after = len(segments), new.n_codes
    while first and segments[first - 1].n_codes < GROWTH * n_after:
        first -= 1
        n_after += segments[first].n_codes
    if first == len(segments):
        return (*segments, new)
    return (*segments[:first], _merged(new.n_bits, [s.live() for s in (*segments[first:], new)]))


def _merged(n_bits: int, parts: list[tuple[NDArray[np.uint8], NDArray[np.int64]]]) -> Segment:
    return Segment.of(n_bits, *_in_id_order(parts)).collapsed()


def _in_id_order(
    parts: list[tuple[NDArray[np.uint8], NDArray[np.int64]]],
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Codes and ids of all parts, each in id order, as new arrays in id order."""
    ids = np.concatenate([part[1] for part in parts])
    codes = np.empty((len(ids), parts[0][0].shape[1]), np.uint8)
    begin = 0
    for part, _ in parts:  # np.concatenate would copy row by row
        codes[begin : begin + len(part)] = part
        begin += len(part)
    if (ids[1:] < ids[:-1]).any():
        order = np.argsort(ids, kind="stable")
        codes, ids = codes[order], ids[order]
    return codes, ids
