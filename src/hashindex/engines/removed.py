"""Which rows were removed, as a value that is changed by copying little."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

PAGE = 4096  # bytes, of a bit per row
PAGE_ROWS_BITS = 15
FEW = 64  # rows that are marked one by one
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
        if len(rows) == 1:
            return self.with_row(int(rows[0]))
        numbers = rows >> PAGE_ROWS_BITS
        touched = np.unique(numbers)
        places = self._pool.take(len(touched))
        if places is None:
            return self._in_new_pool(len(touched)).with_rows(rows)
        pages, table = self.pages, self.table.copy()
        copied = pages[table[touched]]
        table[touched] = places
        if len(rows) <= FEW:
            at = np.searchsorted(touched, numbers)
            np.bitwise_or.at(copied, (at, rows >> 3 & (PAGE - 1)), np.uint8(1) << (rows & 7).astype(np.uint8))
        else:
            bits = np.unpackbits(copied, axis=1, bitorder="little")
            bits[np.searchsorted(touched, numbers), rows & (8 * PAGE - 1)] = 1
            copied = np.packbits(bits, axis=1, bitorder="little")
        pages[places] = copied
        return Removed(self.n_rows, table, self._pool)

    def with_row(self, row: int) -> Removed:
        """The same set and one row."""
        places = self._pool.take(1)
        if places is None:
            return self._in_new_pool(1).with_row(row)
        pages, table, page = self._pool.pages, self.table.copy(), row >> PAGE_ROWS_BITS
        copied = pages[places[0]]
        copied[:] = pages[table[page]]
        copied[row >> 3 & (PAGE - 1)] |= 1 << (row & 7)
        table[page] = places[0]
        return Removed(self.n_rows, table, self._pool)

    def apart(self) -> Removed:
        """The same set in pages of its own, for marks that are soon forgotten."""
        return self._in_new_pool(0)

    def _in_new_pool(self, n_wanted: int) -> Removed:
        n_pages = len(self.table)
        pages = np.zeros((n_pages + max(n_wanted, min(n_pages, SPARE)), PAGE), np.uint8)
        pages[:n_pages] = self.pages[self.table]
        return Removed(self.n_rows, np.arange(n_pages, dtype=np.uint32), _Pool(pages, n_pages))
