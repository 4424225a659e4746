"""Folds of codes.

The words of a code are XORed together, so many as make it some times as narrow. Folding is linear: the distance of two
folds is the weight of the fold of their difference, never more than their own distance. So a scan of the folds, a
fraction of the bytes, leaves few codes that must be looked at themselves.
"""

from __future__ import annotations

import numpy as np

from .rows import Codes

MAX_FOLDED = 2**32 - 1  # codes: rows are uint32 in kernels
SHARE_SCANNED = 64  # of the codes one in so many is scanned itself when the nearest are looked for


def fold(codes: Codes, fold_size: int) -> Codes:
    """Codes (n, code_size) with byte i XORed into byte ``i % fold_size``: (n, fold_size)."""
    folds = np.zeros((len(codes), fold_size), np.uint8)
    for begin in range(0, codes.shape[1], fold_size):
        piece = codes[:, begin : begin + fold_size]
        folds[:, : piece.shape[1]] ^= piece
    return folds
