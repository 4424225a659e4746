"""Tables from a file: whether they fit a segment, by their shapes and what is small; nothing large is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engines.tables import COPIED_BITS, MAX_TABLE_CODES, Tables
from ...segments.segment import Segment
from .layout import MAX_TABLES, MAX_WIDTH

DTYPES = Tables(np.dtype("u1"), np.dtype("i4"), np.dtype("u4"), np.dtype("u4"), np.dtype("u8"))  # type: ignore[arg-type]


def restored(segment: Segment, arrays: dict[str, NDArray[Any]]) -> Tables:
    """Return the tables of ``segment``; ValueError if they are none, or of other codes."""
    for field, dtype in DTYPES._asdict().items():
        if field not in arrays or arrays[field].dtype != dtype:
            raise ValueError(f"tables need {field} of dtype {dtype}")
    tables = Tables(*(arrays[field] for field in Tables._fields))
    # What is small is kept in memory of its own: nobody changes it any more.
    tables = tables._replace(masks=tables.masks.copy(), widths=tables.widths.copy())
    n, code_size = segment.codes.shape
    n_tables = len(tables.widths)
    if tables.rows.shape != (n_tables, n) or n >= MAX_TABLE_CODES:
        raise ValueError(f"tables of {tables.rows.shape} rows do not fit {n} codes")
    if tables.masks.shape != (n_tables, code_size) or tables.widths.shape != (n_tables,):
        raise ValueError(f"masks of shape {tables.masks.shape} do not fit {n_tables} tables of {code_size}-byte codes")
    if not 1 <= n_tables <= MAX_TABLES or not 1 <= tables.widths[0] <= MAX_WIDTH:
        raise ValueError(f"{n_tables} tables of widths {tables.widths[:MAX_TABLES]}")
    bits = np.unpackbits(tables.masks, axis=1)
    if (bits.sum(axis=1) != tables.widths).any() or (tables.widths != tables.widths[0]).any():
        raise ValueError(f"masks of {bits.sum(axis=1)} bits do not fit widths {tables.widths}")
    if (bits.sum(axis=0) > 1).any() or bits[:, segment.n_bits :].any():
        raise ValueError("masks share bits, or have some that codes do not have")
    if tables.offsets.shape != (n_tables * (2 ** int(tables.widths[0]) + 1),):
        raise ValueError(f"{tables.offsets.shape} offsets do not fit widths {tables.widths}")
    n_copied = len(tables.copies) if 8 * code_size <= COPIED_BITS else 0
    if n_copied > n_tables or tables.copies.shape != (n_copied, n):
        raise ValueError(f"copies of shape {tables.copies.shape} do not fit {n_tables} tables of {n} codes")
    return tables
