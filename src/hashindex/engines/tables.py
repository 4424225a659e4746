"""The tables of multi-index hashing as flat arrays."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_TABLE_CODES = 2**32 - 1  # rows are uint32
COPIED_BITS = 64  # codes of one word are copied into bucket order
MOST_COPIED = 2**26  # rows; of more, two tables have copies and the others do without, to save memory
MOST_TABLED = 2**28  # rows; of more, there are two tables of such codes, without copies: 10 bytes a code instead of 28


class Layout(NamedTuple):
    """Which bits make the key of each table, as packed codes with those bits set; no bit is in two keys."""

    masks: NDArray[np.uint8]  # (n_tables, code_size)
    widths: NDArray[np.int32]  # (n_tables,) bits of each key


class Tables(NamedTuple):
    """One partition of the same rows into buckets per table, as flat arrays.

    A key holds the bits that the table's mask selects, packed together in the order of their significance when the
    code is read as a little-endian integer: :func:`select_bits`. Places ``offsets[first + key]`` to
    ``offsets[first + key + 1]`` of ``rows[t]`` belong to that key, rows ascending; ``first`` is the sum of
    ``2**widths[u] + 1`` over the tables u < t. ``copies[t]`` of the first ``n_copied`` tables holds
    the codes in the same order, each as a little-endian integer, so that a bucket is read as one run.
    """

    masks: NDArray[np.uint8]
    widths: NDArray[np.int32]
    offsets: NDArray[np.uint32]  # (sum of 2**widths + 1,)
    rows: NDArray[np.uint32]  # (n_tables, n_codes)
    copies: NDArray[np.uint64]  # (n_copied, n_codes)

    @property
    def first_offsets(self) -> list[int]:
        """Where the offsets of each table begin."""
        sizes = [2**width + 1 for width in self.widths.tolist()]
        return [sum(sizes[:t]) for t in range(len(sizes))]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (self.masks, self.widths, self.offsets, self.rows, self.copies)
        return sum(array.nbytes for array in arrays)


class Shells(NamedTuple):
    """The steps of a k-NN search by tables: step s looks at keys that differ in ``flips`` bits in one table."""

    steps: NDArray[np.int32]  # (n_steps, 2): table, flips; per table the flips count up from 0
    costs: NDArray[np.float64]  # (n_steps,) predicted nanoseconds per query
    scan_cost: float = inf  # of a query by a scan; a query that promises to cost more is finished by one


def n_copied(codes: NDArray[np.uint8], n_tables: int) -> int:
    """How many of the tables of these codes hold copies of them."""
    if 8 * codes.shape[1] > COPIED_BITS or len(codes) > MOST_TABLED:
        return 0
    return n_tables if len(codes) <= MOST_COPIED else min(2, n_tables)


def select_bits(codes: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the bits of codes (n, code_size) that ``mask`` (code_size,) selects, packed into integers (n,)."""
    places = np.flatnonzero(np.unpackbits(mask, bitorder="little"))
    bits = np.unpackbits(codes, axis=1, bitorder="little")[:, places]
    keys: NDArray[np.int64] = bits @ (np.int64(1) << np.arange(len(places), dtype=np.int64))
    return keys


NO_SHELLS = Shells(np.empty((0, 2), np.int32), np.empty(0))
