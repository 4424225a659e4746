"""What must hold of arrays from a file, where all of them is read: each check raises ValueError that says what not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..segments.postings import Postings
from ..segments.snapshot import MAX_ID


def check_codes(codes: NDArray[np.uint8], n_bits: int) -> None:
    """Their pad bits are zero."""
    pad_bits = -n_bits % 8
    if pad_bits and (codes[:, -1] & (2**pad_bits - 1)).any():
        raise ValueError(f"codes have bits set beyond the {n_bits} that they have")


def check_ids(ids: NDArray[np.int64], first_id: int | None = None) -> None:
    """They ascend, from ``first_id`` on."""
    if not len(ids):
        return
    if not (ids[1:] > ids[:-1]).all():
        raise ValueError("ids do not ascend")
    if ids[0] < 0 or ids[-1] > MAX_ID or first_id not in (None, int(ids[0])):
        raise ValueError(f"ids go from {ids[0]} to {ids[-1]}")


def check_removed(removed: NDArray[np.uint8], n_rows: int, n_removed: int) -> None:
    """As many bits are set, none behind the last row."""
    n_set = int(np.bitwise_count(removed).sum(dtype=np.int64))
    if n_set != n_removed or int(removed[-1]) >> ((n_rows - 1) % 8 + 1):
        raise ValueError(f"{n_set:,} rows of {n_rows:,} are removed, not {n_removed:,}")


def check_postings(postings: Postings) -> None:
    """Each row is held once, in the order that postings have."""
    starts, rows = postings
    if not (starts[1:] > starts[:-1]).all() or starts[0] != 0 or starts[-1] != len(rows) or rows.max() >= len(rows):
        raise ValueError("postings point outside of their rows")
    seen = np.zeros(len(rows), np.bool_)
    seen[rows] = True
    ascending = np.append(True, rows[1:] > rows[:-1])
    ascending[starts[:-1]] = True
    firsts = rows[starts[:-1]]
    if not seen.all() or not ascending.all() or not (firsts[1:] > firsts[:-1]).all():
        raise ValueError("postings do not hold each row once, in order")


def check_bare(bare: NDArray[np.uint8] | None, removed: NDArray[np.uint8], postings: Postings) -> None:
    """A bit is set for each code of which all rows are removed."""
    kept = np.unpackbits(removed, bitorder="little", count=len(postings.rows)) == 0
    empty = np.packbits(postings.emptied(kept), bitorder="little")
    if not np.array_equal(empty, np.zeros_like(empty) if bare is None else bare):
        raise ValueError("the codes that have no row left are not those that are marked")
