"""Folds of codes.

The words of a code are XORed together, so many as make it some times as narrow. Folding is linear: the distance of two
folds is the weight of the fold of their difference, never more than their own distance. So a scan of the folds, a
fraction of the bytes, leaves few codes that must be looked at themselves.
"""

from __future__ import annotations

import numpy as np

from .numpy_engine.common import words_of
from .rows import Codes

MAX_FOLDED = 2**32 - 1  # codes: rows are uint32 in kernels
BLOCK = 2**12  # codes folded at a time, which stay in the cache
SHARE_SCANNED = 64  # of the codes one in so many is scanned itself when the nearest are looked for


def fold(codes: Codes, fold_size: int) -> Codes:
    """Codes (n, code_size) with byte i XORed into byte ``i % fold_size``: (n, fold_size), which are whole words."""
    folds = np.zeros((len(codes), fold_size // 8), "<u8")
    for begin in range(0, len(codes), BLOCK):
        some = folds[begin : begin + BLOCK].T
        for i, word in enumerate(words_of(codes[begin : begin + BLOCK])):
            some[i % len(some)] ^= word
    return folds.view(np.uint8)
