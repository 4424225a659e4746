"""One consistent state of an index: what a search sees, whatever is added or removed meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs.numbers import code_size
from ..support.interrupts import interruptible
from ..support.progress import Tell
from .segment import Segment
from .tail import TailBuffer

MAX_ID = np.iinfo(np.int64).max - 1


class Snapshot:
    """Immutable segments, and a small tail that takes what is added; itself never changed.

    ``plans`` is what searches have planned for these segments, by kind of search. Snapshots that differ in the tail
    alone, or in what was removed, share it, so that plans live across adds and removals. ``n_scanned`` is how many
    codes of the tail have been compared, about. ``lost`` is what was removed from each segment, as the engine's whole
    searches take it; None if nothing was.
    """

    __slots__ = (
        "_settled",
        "_tail_segment",
        "code_size",
        "lost",
        "n_bits",
        "n_codes",
        "n_scanned",
        "n_tail",
        "next_id",
        "plans",
        "segments",
        "tail",
    )

    def __init__(
        self,
        n_bits: int | None,
        segments: tuple[Segment, ...],
        tail: TailBuffer,
        n_tail: int,
        next_id: int,
    ) -> None:
        self.n_bits = n_bits
        self.code_size = tail.codes.shape[1]
        self.segments = segments
        self.tail = tail
        self.n_tail = n_tail  # rows of the tail that are part of this state
        self.next_id = next_id  # above every id ever used
        self.plans: dict[Any, Any] = {}
        self._count()
        self._share()
        self.n_scanned = 0
        self._tail_segment: Segment | None = None
        self._settled: Snapshot | None = None

    def with_tail(self, tail: TailBuffer, n_tail: int, next_id: int) -> Snapshot:
        """The same segments and plans, with another tail."""
        new = Snapshot.__new__(Snapshot)
        new.n_bits, new.code_size, new.segments, new.plans = self.n_bits, self.code_size, self.segments, self.plans
        new.tail, new.n_tail, new.next_id = tail, n_tail, next_id
        new.n_codes = self.n_codes - self.n_tail + n_tail
        new.lost = self.lost
        new.n_scanned = 0
        new._tail_segment = new._settled = None
        return new

    def with_less(self, segments: tuple[Segment, ...], tail: TailBuffer, n_tail: int) -> Snapshot:
        """The same plans, with what was left of the same segments, and with another tail."""
        new = self.with_tail(tail, n_tail, self.next_id)
        new.segments = segments
        new._count()
        return new

    def with_others(self, segments: tuple[Segment, ...]) -> Snapshot:
        """The same state in other segments of the same rows; itself if they are its own."""
        if all(one is other for one, other in zip(segments, self.segments, strict=True)):
            return self
        self.retire_plans()
        return Snapshot(self.n_bits, segments, self.tail, self.n_tail, self.next_id)

    def _count(self) -> None:
        self.n_codes = self.n_tail
        lost = False
        for segment in self.segments:
            self.n_codes += segment.n_codes
            lost = lost or segment.removed is not None
        self.lost: list[Any] | None = [segment.lost for segment in self.segments] if lost else None

    def _share(self) -> None:
        """Let all segments have what structures made for the largest that they made anything for."""
        if len(self.segments) > 1:
            first = max(self.segments, key=lambda one: (len(one.learned.shared) > 0, one.n_rows))
            for one in self.segments:
                one.learned.shared = first.learned.shared

    @classmethod
    def empty(cls, n_bits: int | None) -> Snapshot:
        """No codes yet; ``n_bits`` may be unknown."""
        return cls(n_bits, (), TailBuffer.empty(0, code_size(n_bits or 0)), 0, 0)

    @property
    def tail_codes(self) -> NDArray[np.uint8]:
        """uint8 (n_tail, code_size)."""
        return self.tail.codes[: self.n_tail]

    @property
    def tail_ids(self) -> NDArray[np.int64]:
        """int64 (n_tail,), ascending."""
        return self.tail.ids[: self.n_tail]

    @property
    def tail_segment(self) -> Segment | None:
        """The tail in the form of a segment; None if it is empty."""
        if self._tail_segment is None and self.n_tail and self.n_bits is not None:
            self._tail_segment = Segment.of(self.n_bits, self.tail_codes, self.tail_ids)
        return self._tail_segment

    @property
    def parts(self) -> tuple[Segment, ...]:
        """Segments, and the tail unless it is empty."""
        tail = self.tail_segment
        return self.segments if tail is None else (*self.segments, tail)

    def retire_plans(self) -> None:
        """Let segments that go on without these plans know what was met under them."""
        for plan in list(self.plans.values()):
            plan.retire()

    def settled(self) -> Snapshot:
        """The same state with the tail as a segment like the others: for searches that would scan it many times."""
        if not self.n_tail:
            return self
        if self._settled is None:
            self._settled = Snapshot(self.n_bits, self.parts, TailBuffer.empty(0, self.code_size), 0, self.next_id)
        return self._settled

    def contains(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``ids`` (n,) are here."""
        here = self.in_tail(ids)[1]
        for segment in self.segments:
            here |= segment.find(ids)[1]
        return here

    def codes_of(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The codes (n, code_size) under ``ids`` (n,); KeyError for one that is not here."""
        codes, found = self._find(ids)
        if not found.all():
            raise KeyError(f"id {ids[np.argmin(found)]} is not in the index")
        return codes

    def found(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Those of ``ids`` (n,) that are here, and their codes."""
        codes, found = self._find(ids)
        return (ids, codes) if found.all() else (ids[found], codes[found])

    def _find(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The codes (n, code_size) under ``ids`` (n,), and which of them are here."""
        codes = np.empty((len(ids), self.code_size), np.uint8)
        rows, found = self.in_tail(ids)
        codes[found] = self.tail_codes[rows[found]]
        for segment in self.segments:
            rows, here = segment.find(ids)
            if here.all():
                return segment.codes_at(rows), here
            codes[here] = segment.codes_at(rows[here])
            found |= here
        return codes, found

    def cleared(self) -> Snapshot:
        """The same width and next id, without codes."""
        return Snapshot(self.n_bits, (), TailBuffer.empty(0, self.code_size), 0, self.next_id)

    def in_tail(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The row of the tail of each of ``ids`` (n,), and whether it is there."""
        if not self.n_tail:
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), np.bool_)
        rows = np.minimum(np.searchsorted(self.tail_ids, ids), self.n_tail - 1)
        return rows, self.tail_ids[rows] == ids

    def all_ids(self) -> NDArray[np.int64]:
        """Ids (n_codes,) ascending, as an array of its own."""
        ids = np.concatenate([*(one.live_ids() for one in self.segments), self.tail_ids])
        return ids if (ids[1:] > ids[:-1]).all() else np.sort(ids)

    def all_codes(self, tell: Tell = lambda _: None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Codes (n_codes, code_size) and ids (n_codes,) in id order, as arrays of their own; tells how many it read."""
        size, parts, n_read = 8 + self.code_size, [], 0
        for segment in self.segments:
            tell(n_read)
            parts.append(interruptible(segment.live, segment.n_codes * size))
            n_read += segment.n_codes
        tell(n_read)
        parts.append((self.tail_codes, self.tail_ids))
        return interruptible(lambda: in_id_order(parts), self.n_codes * size)


def in_id_order(
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
