"""One consistent state of an index: what a search sees, whatever is added or removed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .engines import Engine
from .inputs import code_size
from .locks import ForkLock
from .tables import Tables, layout

MAX_ID = np.iinfo(np.int64).max - 1


@dataclass
class TableCache:
    """The multi-index tables of one snapshot, built when first asked for."""

    tables: Tables | None = None
    missed: float = 0.0  # nanoseconds that searches are predicted to have lost for want of tables
    lock: ForkLock = field(default_factory=ForkLock)


@dataclass(frozen=True)
class Snapshot:
    """Codes in id order, never changed after publication.

    Rows lie in id order so that a tie settled by row is settled by id. The buffers have room behind the last row:
    only the newest snapshot's successor writes there, and no older snapshot looks.
    """

    n_bits: int | None
    buffer: NDArray[np.uint8]  # (capacity, code_size)
    id_buffer: NDArray[np.int64]  # (capacity,)
    n_codes: int
    next_id: int  # above every id ever used
    cache: TableCache = field(default_factory=TableCache, repr=False, compare=False)

    @classmethod
    def empty(cls, n_bits: int | None) -> Snapshot:
        """No codes yet; ``n_bits`` may be unknown."""
        return cls(n_bits, np.empty((0, code_size(n_bits or 0)), np.uint8), np.empty(0, np.int64), 0, 0)

    @property
    def codes(self) -> NDArray[np.uint8]:
        """uint8 (n_codes, code_size)."""
        return self.buffer[: self.n_codes]

    @property
    def ids(self) -> NDArray[np.int64]:
        """int64 (n_codes,), ascending."""
        return self.id_buffer[: self.n_codes]

    def with_codes(self, n_bits: int, codes: NDArray[np.uint8], ids: NDArray[np.int64]) -> Snapshot:
        """Return a snapshot with ``codes`` (n, code_size) under the new ``ids`` (n,) too."""
        if self.n_bits is None:
            return Snapshot.empty(n_bits).with_codes(n_bits, codes, ids)
        if len(ids) == 0:
            return self
        if (ids[1:] < ids[:-1]).any():
            order = np.argsort(ids)
            codes, ids = codes[order], ids[order]
        total, next_id = self.n_codes + len(ids), max(self.next_id, int(ids[-1]) + 1)
        if self.n_codes and ids[0] < self.ids[-1]:
            ids = np.concatenate([self.ids, ids])
            order = np.argsort(ids, kind="stable")
            return Snapshot(n_bits, np.concatenate([self.codes, codes])[order], ids[order], total, next_id)
        buffer, id_buffer = self.buffer, self.id_buffer
        if total > len(buffer):  # grow by half, so that many small adds copy each code a few times only
            capacity = max(total, len(buffer) * 3 // 2)
            buffer = np.empty((capacity, codes.shape[1]), np.uint8)
            id_buffer = np.empty(capacity, np.int64)
            buffer[: self.n_codes], id_buffer[: self.n_codes] = self.codes, self.ids
        buffer[self.n_codes : total], id_buffer[self.n_codes : total] = codes, ids
        return Snapshot(n_bits, buffer, id_buffer, total, next_id)

    def without(self, ids: NDArray[np.int64]) -> Snapshot:
        """Return a snapshot without ``ids``, all of which must be here."""
        kept = np.isin(self.ids, ids, invert=True)
        return Snapshot(self.n_bits, self.codes[kept], self.ids[kept], int(kept.sum()), self.next_id)

    def contains(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``ids`` (n,) are here."""
        if not self.n_codes:
            return np.zeros(len(ids), np.bool_)
        place = np.minimum(np.searchsorted(self.ids, ids), self.n_codes - 1)
        found: NDArray[np.bool_] = self.ids[place] == ids
        return found

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

    def tables(self, engine: Engine, n_threads: int) -> Tables:
        """Return the multi-index tables of these codes (at least one), built at the first call."""
        assert self.n_bits is not None
        with self.cache.lock:
            if self.cache.tables is None:
                starts, widths = layout(self.n_bits, self.n_codes)
                self.cache.tables = engine.build_tables(self.codes, starts, widths, n_threads)
            return self.cache.tables
