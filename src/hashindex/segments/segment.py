"""An immutable part of an index: codes in id order as flat arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from mmap import mmap
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.engine import PartArrays
from ..engines.removed import Removed
from ..engines.rows import NOTHING_REMOVED, Rows, spans
from ..support.interrupts import interruptible
from ..support.locks import ForkLock
from ..support.native import core
from .postings import Postings, collapse, estimate_distinct
from .spread import Spread, spread_of

COLLAPSED = 0.5  # equal codes are stored once where this share of the codes or less is distinct
FEWEST_COLLAPSED = 1024
MOST_COLLAPSED = 2**32 - 1  # rows of postings are uint32
MOST_REMOVED = 0.25  # a segment is copied without its removed rows beyond this share of them
MUCH = 4  # times as many rows: a larger segment tells how codes are spread
LARGE = 2**17  # rows, or more: a segment that is copied in the background


@dataclass
class Learned:
    """What searches of one segment have built or learned. Never changes an answer."""

    states: dict[str, Any] = field(default_factory=dict)  # what each structure has built, by its name
    notes: dict[str, Any] = field(default_factory=dict)  # and found out before, by its name
    answered: dict[Any, int] = field(default_factory=dict)  # queries by kind of search
    lost: dict[str, float] = field(default_factory=dict)  # nanoseconds of searches, for want of it
    looked: dict[int, NDArray[np.int64]] = field(default_factory=dict)  # by k: counts by the distance looked to
    building: dict[str, Thread] = field(default_factory=dict)  # by threads of their own, while searches go on
    shared: dict[str, Any] = field(default_factory=dict)  # what structures have for all segments of an index, by name
    apart: float = 0.0  # nanoseconds of searches, because there are other segments, since one came last
    spread: Spread | None = None
    owners: NDArray[np.int64] | None = None  # of the rows of postings, once somebody asked for codes
    thought: bool = False  # whether it was prepared: what to search with is worth a thought at once
    lock: ForkLock = field(default_factory=ForkLock)

    def state(self, name: str, build: Callable[[], Any]) -> Any:
        """The state of the structure of that name, built at the first call."""
        if name not in self.states:  # who finds it waits for no other that is being built
            with self.lock.lock:
                if name not in self.states:
                    self.states[name] = build()
        return self.states[name]


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows in id order, never changed after publication.

    Rows lie in id order so that a tie settled by row is settled by id. Ids counted up from ``first_id`` take no
    memory. Where codes repeat, each is stored once with its postings.
    """

    n_bits: int
    codes: NDArray[np.uint8]  # (n_rows, code_size), or the distinct ones in the order of their first row
    n_rows: int
    first_id: int
    ids: NDArray[np.int64] | None  # (n_rows,) ascending; None = first_id + row
    n_distinct: int  # about
    postings: Postings | None = None
    removed: Removed | None = None  # rows; None = none
    bare: Removed | None = None  # distinct codes without a row left, where there are postings
    n_removed: int = 0
    learned: Learned = field(default_factory=Learned)  # shared by what removals make of a segment
    _parts: dict[Engine, Any] = field(default_factory=dict, init=False)  # in the form of an engine, removed or not
    _made: dict[str, Any] = field(default_factory=dict, init=False)  # of what was removed, once it was asked for

    @classmethod
    def of(cls, n_bits: int, codes: NDArray[np.uint8], ids: NDArray[np.int64] | range) -> Segment:
        """Own ``codes`` (n, code_size), which nobody may change any more, under ascending ``ids`` (n,), n > 0."""
        counted = int(ids[-1]) - int(ids[0]) == len(ids) - 1
        written = None if counted or isinstance(ids, range) else ids
        return cls(n_bits, codes, len(codes), int(ids[0]), written, len(codes))

    def collapsed(self, beside: Segment | None = None) -> Segment:
        """The same segment, its distinct codes counted, and with postings if they are few.

        A much larger one ``beside`` it, of codes from the same source, need not be measured again.
        """
        if self.n_rows < FEWEST_COLLAPSED:
            return self
        n_distinct = estimate_distinct(self.codes)
        if n_distinct > COLLAPSED * self.n_rows or self.n_rows >= MOST_COLLAPSED:
            spread = spread_of(self.codes) if beside is None else _spread_beside(self, beside)
            return replace(self, n_distinct=n_distinct, learned=Learned(spread=spread))
        codes, postings = collapse(self.codes)
        learned = Learned(spread=spread_of(codes))
        return replace(self, codes=codes, n_distinct=len(codes), postings=postings, learned=learned)

    @property
    def n_codes(self) -> int:
        """Rows that were not removed."""
        return self.n_rows - self.n_removed

    @property
    def is_mapped(self) -> bool:
        """Whether its codes are a map of a file, whose pages all processes share."""
        base: Any = self.codes
        while isinstance(base, np.ndarray | memoryview):
            base = base.obj if isinstance(base, memoryview) else base.base
        return isinstance(base, mmap)

    @property
    def is_large(self) -> bool:
        """Whether copying it takes long enough to be left to the background."""
        return self.n_rows >= LARGE

    @property
    def rows(self) -> Rows:
        """What engines search: positions in ``codes``."""
        gone = self.removed if self.postings is None else self.bare
        return Rows(self.codes, NOTHING_REMOVED if gone is None else self._flat(gone))

    @property
    def live_postings(self) -> Postings | None:
        """Postings without the removed rows."""
        if self.postings is None or self.removed is None:
            return self.postings
        if "postings" not in self._made:
            self._made["postings"] = self.postings.without(self.removed.has(self.postings.rows.astype(np.int64)))
        made: Postings = self._made["postings"]
        return made

    @property
    def lost(self) -> tuple[Any, Any] | None:
        """What of :meth:`part` was removed, as the engine's whole searches take it."""
        if self.removed is None:
            return None
        if self.postings is None:
            return self.removed.arrays, None
        return None if self.bare is None else self.bare.arrays, self.removed.arrays

    @property
    def place(self) -> tuple[int, NDArray[np.int64] | None, int, tuple[NDArray[np.uint8], NDArray[np.uint32]] | None]:
        """What the native core looks for ids in."""
        return self.first_id, self.ids, self.n_rows, None if self.removed is None else self.removed.arrays

    @property
    def nbytes(self) -> int:
        """Bytes of codes, ids and postings; not of what structures have built."""
        total = self.codes.nbytes
        total += sum(0 if one is None else one.nbytes for one in (self.removed, self.bare))
        total += 0 if self.ids is None else self.ids.nbytes
        total += 0 if self.postings is None else self.postings.starts.nbytes + self.postings.rows.nbytes
        return total

    def ids_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The ids of ``rows``, which may have any shape; may be the same array."""
        if self.ids is not None:
            return self.ids[rows]
        return rows + self.first_id if self.first_id else rows

    def find(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the row of each of ``ids`` (n,), and whether it is here."""
        return self._found(ids) if core is None else core.find_rows(ids, self.place)

    def _found(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """:meth:`find` without the native core."""
        if self.ids is None:
            rows = ids - self.first_id
            here = (rows >= 0) & (rows < self.n_rows)
            rows = np.where(here, rows, 0)
        else:
            rows = np.minimum(np.searchsorted(self.ids, ids), self.n_rows - 1)
            here = self.ids[rows] == ids
        if self.removed is not None:
            here &= ~self.removed.has(rows)
        return rows, here

    def row_of(self, one: int) -> int | None:
        """The row of one id; None if it is not here."""
        if self.ids is None:
            row = one - self.first_id
            if not 0 <= row < self.n_rows:
                return None
        else:
            row = int(self.ids.searchsorted(one))
            if row == self.n_rows or self.ids[row] != one:
                return None
        return None if self.removed is not None and self.removed.has_row(row) else row

    def codes_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of ``codes`` each of ``rows`` (n,) has; may be the same array."""
        return rows if self.postings is None else self._owners[rows]

    def codes_at(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The codes of ``rows`` (n,), as a copy."""
        return self.codes[self.codes_of(rows)]

    def live(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Codes (n_codes, code_size) and ids (n_codes,) of the rows that were not removed, in id order."""
        codes = self.codes if self.postings is None else self.codes[self.postings.owners]
        ids = self.ids_of(np.arange(self.n_rows))
        if self.removed is None:
            return codes, ids
        kept = self.removed.kept()
        return codes[kept], ids[kept]

    def live_ids(self) -> NDArray[np.int64]:
        """Ids (n_codes,) of the rows that were not removed, ascending."""
        return self.ids_of(self.live_rows())

    def live_rows(self) -> NDArray[np.int64]:
        """The rows (n_codes,) that were not removed."""
        return np.arange(self.n_rows) if self.removed is None else np.flatnonzero(self.removed.kept())

    def without(self, rows: NDArray[np.int64]) -> Segment | None:
        """Return the segment without ``rows`` (distinct, not yet removed); None if nothing is left.

        Marks them: codes and what structures have built are shared. A segment of which much was removed is
        copied, unless it is large.
        """
        if self.n_removed + len(rows) == self.n_rows:
            return None
        marked = self.marked(rows)
        is_dense = marked.n_removed <= MOST_REMOVED * self.n_rows
        return marked if is_dense or self.is_large else marked.compacted()

    def compacted(self) -> Segment:
        """A copy of what was not removed."""
        n_bytes = self.n_rows * (8 + self.codes.shape[1])
        return interruptible(lambda: Segment.of(self.n_bits, *self.live()).collapsed(), n_bytes)

    def marked(self, rows: NDArray[np.int64]) -> Segment:
        """The segment with ``rows`` (distinct, not yet removed, at least one) marked as removed."""
        removed = (Removed.none(self.n_rows) if self.removed is None else self.removed).with_rows(rows)
        bare = None if self.postings is None else self._bare(removed, rows)
        return self._less(removed, self.n_removed + len(rows), bare)

    def denied(self, rows: NDArray[np.int64]) -> Segment:
        """As :meth:`marked`, for one search: published marks have their spare pages for removals."""
        if self.removed is None:
            return self.marked(rows)
        bare = None if self.bare is None else self.bare.apart()
        return self._less(self.removed.apart(), self.n_removed, bare).marked(rows)

    def only(self, kept: NDArray[np.bool_]) -> Segment:
        """The segment with those of its rows that are ``kept`` (n_rows,): for one search, sharing all but marks."""
        if self.removed is not None:
            kept = kept & self.removed.kept()
        removed = Removed.of(np.packbits(~kept, bitorder="little"), self.n_rows)
        bare = None
        if self.postings is not None:
            bare = Removed.of(np.packbits(self.postings.emptied(kept), bitorder="little"), len(self.codes))
        return self._less(removed, self.n_rows - int(np.count_nonzero(kept)), bare)

    def part(self, engine: Engine) -> Any:
        """The segment in the form that the engine's whole searches take."""
        part = self._parts.get(engine)
        if part is None:
            starts, holders = (None, None) if self.postings is None else self.postings
            arrays = PartArrays(self.codes, self.first_id, self.ids, starts, holders)
            part = self._parts[engine] = engine.part(arrays)
        return part

    def _less(self, removed: Removed, n_removed: int, bare: Removed | None) -> Segment:
        """The segment with other marks; ``dataclasses.replace`` would take longer than the rest of a removal."""
        less = object.__new__(Segment)
        less.__dict__.update(self.__dict__, removed=removed, n_removed=n_removed, bare=bare, _made={})
        return less

    def _bare(self, removed: Removed, rows: NDArray[np.int64]) -> Removed | None:
        """The codes that have no row left once ``rows`` are among the ``removed``."""
        if self.postings is None:
            return None
        starts, holders = self.postings
        codes = np.unique(self._owners[rows])
        counts = starts[codes + 1] - starts[codes]
        held = holders[spans(starts[codes], counts)].astype(np.int64)
        ends = np.cumsum(counts)
        left = np.append(0, np.cumsum(~removed.has(held)))
        emptied = codes[left[ends] == left[ends - counts]]
        if not len(emptied):
            return self.bare
        return (self.bare or Removed.none(len(self.codes))).with_rows(emptied)

    @property
    def _owners(self) -> NDArray[np.int64]:
        """The distinct code of each row."""
        if self.learned.owners is None and self.postings is not None:
            self.learned.owners = self.postings.owners
        owners = self.learned.owners
        assert owners is not None
        return owners

    def _flat(self, removed: Removed) -> NDArray[np.uint8]:
        if "removed" not in self._made:
            self._made["removed"] = removed.flat()
        flat: NDArray[np.uint8] = self._made["removed"]
        return flat


def _spread_beside(segment: Segment, other: Segment) -> Spread | None:
    known, part = other.learned.spread, segment.n_rows / other.n_rows
    return known.thinned(part) if known is not None and part * MUCH <= 1 else spread_of(segment.codes)
