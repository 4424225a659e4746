"""Which rows were removed, as a value that is changed by copying little."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

PAGE = 4096  # bytes, of a bit per row
PAGE_ROWS_BITS = 15
SPARE = 256  # pages of a pool for later removals


class _Pool:
    """Pages (n, PAGE), each written once, by whoever takes it, before anybody else knows of it."""

    def __init__(self, pages: NDArray[np.uint8], n_taken: int) -> None:
        self.pages = pages
        self._next = itertools.count(n_taken)

    def take(self, n: int) -> list[int] | None:
        """Places of n pages that nobody else has; None if there are not as many left."""
        places = [next(self._next) for _ in range(n)]
        return places if not n or places[-1] < len(self.pages) else None


class Removed:
    """A set of rows among ``n_rows``; immutable.

    Row r is bit ``r & 7`` of byte ``r >> 3 & 4095`` of page ``table[r >> 15]``. What is made of it by removing more
    shares the pages that did not change: one removal copies one page and the table, 4.1 KB of 1e7 rows.
    """

    __slots__ = ("_pool", "n_rows", "table")

    def __init__(self, n_rows: int, table: NDArray[np.uint32], pool: _Pool) -> None:
        self.n_rows, self.table, self._pool = n_rows, table, pool

    @property
    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
        """Pages and table: what the engine's whole searches take."""
        return self.pages, self.table

    @property
    def pages(self) -> NDArray[np.uint8]:
        """(n, PAGE), those that the table names."""
        return self._pool.pages

    @classmethod
    def none(cls, n_rows: int) -> Removed:
        """Nothing removed."""
        n_pages = -(-n_rows // (8 * PAGE))
        pages = np.zeros((min(1 + 2 * n_pages, 1 + n_pages + SPARE), PAGE), np.uint8)
        return cls(n_rows, np.zeros(n_pages, np.uint32), _Pool(pages, 1))

    @classmethod
    def of(cls, flat: NDArray[np.uint8], n_rows: int) -> Removed:
        """A bit per row, as of ``numpy.packbits(..., bitorder="little")``."""
        n_pages = -(-n_rows // (8 * PAGE))
        pages = np.zeros((n_pages, PAGE), np.uint8)
        n_bytes = -(-n_rows // 8)
        pages.reshape(-1)[:n_bytes] = flat[:n_bytes]
        return cls(n_rows, np.arange(n_pages, dtype=np.uint32), _Pool(pages, n_pages))

    def flat(self) -> NDArray[np.uint8]:
        """A bit per row, as :meth:`of` takes them."""
        return self.pages[self.table].reshape(-1)[: -(-self.n_rows // 8)]

    def kept(self) -> NDArray[np.bool_]:
        """Which rows are not in the set, (n_rows,)."""
        kept: NDArray[np.bool_] = np.unpackbits(self.flat(), bitorder="little", count=self.n_rows) == 0
        return kept

    def beyond(self, other: Removed | None) -> NDArray[np.int64]:
        """The rows that are in this set and not in the other, ascending."""
        flat = self.flat() if other is None else self.flat() & ~other.flat()
        places = np.flatnonzero(flat)
        at, bits = np.nonzero(np.unpackbits(flat[places, None], axis=1, bitorder="little"))
        rows: NDArray[np.int64] = (places[at] << 3) + bits
        return rows

    def has(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``rows`` (any shape) are in the set."""
        pages = self.table[rows >> PAGE_ROWS_BITS]
        marked: NDArray[np.bool_] = (
            self.pages[pages, rows >> 3 & (PAGE - 1)] >> (rows & 7).astype(np.uint8) & 1
        ).astype(np.bool_)
        return marked

    @property
    def nbytes(self) -> int:
        """Bytes of the pages that hold anything, and of the table."""
        return len(np.unique(self.table)) * PAGE + self.table.nbytes

    def has_row(self, row: int) -> bool:
        """Whether one row is in the set."""
        return bool(self.pages[self.table[row >> PAGE_ROWS_BITS], row >> 3 & (PAGE - 1)] >> (row & 7) & 1)

    def with_rows(self, rows: NDArray[np.int64]) -> Removed:
        """The same set and ``rows`` (n,)."""
        if len(rows) <= 1:
            return self.with_row(int(rows[0])) if len(rows) else self
        rows = np.sort(rows)
        at = rows >> 3
        firsts = np.flatnonzero(np.diff(at, prepend=-1))  # of the rows of a byte
        marks = np.bitwise_or.reduceat(np.uint8(1) << (rows & 7).astype(np.uint8), firsts)
        at = at[firsts]
        numbers = at // PAGE
        new = self._owning(numbers[np.diff(numbers, prepend=-1) > 0])
        new.pages[new.table[numbers], at % PAGE] |= marks
        return new

    def with_row(self, row: int) -> Removed:
        """The same set and one row."""
        page = row >> PAGE_ROWS_BITS
        new = self._owning([page])
        new.pages[new.table[page], row >> 3 & (PAGE - 1)] |= 1 << (row & 7)
        return new

    def apart(self) -> Removed:
        """The same set in pages of its own, for marks that are soon forgotten."""
        n_pages = len(self.table)
        pages = np.zeros((n_pages + min(n_pages, SPARE), PAGE), np.uint8)
        pages[:n_pages] = self.pages[self.table]
        return Removed(self.n_rows, np.arange(n_pages, dtype=np.uint32), _Pool(pages, n_pages))

    def _owning(self, numbers: NDArray[np.int64] | list[int]) -> Removed:
        """The same set, with pages ``numbers`` (n,), each named once, that nobody else has."""
        places = self._pool.take(len(numbers))
        if places is None:
            return self.apart()
        pages, table = self.pages, self.table.copy()
        to, of = (places, numbers) if len(places) > 1 else (places[0], numbers[0])  # one is copied without a list
        pages[to] = pages[table[of]]
        table[of] = to
        return Removed(self.n_rows, table, self._pool)
