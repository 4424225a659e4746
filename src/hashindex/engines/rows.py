"""What is searched, and rows in runs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]  # (n, code_size), C-contiguous
NOTHING_REMOVED = np.empty(0, np.uint8)
NOTHING_REMOVED.flags.writeable = False


class Rows(NamedTuple):
    """Codes, and which of them were removed."""

    codes: Codes
    removed: NDArray[np.uint8] = NOTHING_REMOVED  # a bit per row, little-endian in the byte; empty = none


def spans(begins: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """``begins[0]``, ``begins[0] + 1``, ... ``counts[0]`` of them, then those of the next."""
    ends = np.cumsum(counts)
    return np.repeat(begins - (ends - counts), counts) + np.arange(int(ends[-1]) if len(ends) else 0)
