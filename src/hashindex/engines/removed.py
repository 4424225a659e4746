"""Which rows were removed, as a value that is changed by copying little."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from ..support.native import core

PAGE = 4096  # bytes, of a bit per row
PAGE_ROWS_BITS = 15
SPARE = 256  # pages of a pool for later removals
NO_ROWS = np.empty(0, np.int64)


class _Pool:
    """Pages (n, PAGE), each written once, by whoever takes it, before anybody else knows of it."""

    def __init__(self, pages: NDArray[np.uint8], n_taken: int) -> None:
        self.pages = pages
        self._next = count(n_taken)

    def take(self, n: int) -> list[int] | None:
        """Places of n pages that nobody else has; None if there are not as many left."""
        places = list(islice(self._next, n))
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
        pages = np.empty((1 + n_pages + min(n_pages, SPARE), PAGE), np.uint8)
        pages[0] = 0
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

    def kept(self, begin: int = 0, end: int | None = None) -> NDArray[np.bool_]:
        """Which of rows ``begin`` to ``end``, or of all, are not in the set: (end - begin,)."""
        end = self.n_rows if end is None else end
        page = begin >> PAGE_ROWS_BITS
        first, some = page << PAGE_ROWS_BITS, self.table[page : (end - 1 >> PAGE_ROWS_BITS) + 1]
        bits = np.unpackbits(self.pages[some].reshape(-1), bitorder="little", count=end - first)
        kept: NDArray[np.bool_] = bits[begin - first :] == 0
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
        if not len(rows):
            return self
        numbers = _pages_of(rows, len(self.table))
        places = self._pool.take(len(numbers))
        return self._moved(rows) if places is None else self._with(self._pool, numbers, places, rows)

    def apart(self) -> Removed:
        """The same set in pages of its own, for marks that are soon forgotten."""
        return self._moved(NO_ROWS)

    def _moved(self, rows: NDArray[np.int64]) -> Removed:
        """The same set and ``rows`` (n,) in a pool of its own.

        Its spare pages are not touched before they are taken: of large removals one after the other each gets the
        memory of the one before last back, which costs less than new memory.
        """
        n_pages = len(self.table)
        every = range(n_pages)
        return self._with(_Pool(np.empty((n_pages + min(n_pages, SPARE), PAGE), np.uint8), n_pages), every, every, rows)

    def _with(self, pool: _Pool, numbers: Sequence[int], places: Sequence[int], rows: NDArray[np.int64]) -> Removed:
        """The same set and ``rows`` (n,), with pages ``numbers`` at ``places`` of a pool, which nobody else has."""
        return Removed(self.n_rows, _with_rows(self.arrays, pool.pages, numbers, places, rows), pool)


def pages_of(rows: NDArray[np.int64], n_pages: int) -> list[int]:  # noqa: ARG001
    """The pages that have ``rows`` (n,)."""
    numbers: list[int] = np.unique(rows >> PAGE_ROWS_BITS).tolist()
    return numbers


def with_rows(
    removed: tuple[NDArray[np.uint8], NDArray[np.uint32]],
    to: NDArray[np.uint8],
    numbers: Sequence[int],
    places: Sequence[int],
    rows: NDArray[np.int64],
) -> NDArray[np.uint32]:
    """The table of the same marks and ``rows`` (n,), once pages ``numbers``, of these, are copied to ``places``."""
    pages, table = removed[0], removed[1].copy()
    to[np.array(places)] = pages[table[np.array(numbers)]]
    table[np.array(numbers)] = places
    at = rows >> 3
    np.bitwise_or.at(to, (table[at // PAGE], at % PAGE), np.uint8(1) << (rows & 7).astype(np.uint8))
    return table


_pages_of, _with_rows = (pages_of, with_rows) if core is None else (core.pages_of, core.with_rows)
