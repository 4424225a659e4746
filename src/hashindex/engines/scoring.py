"""Dot products of float queries with candidates, in the order of sums that all engines keep; in NumPy.

Sums are float64: lane j of 8 adds up components j, j + 8, ..., then ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). Products
of float32 are exact in float64, so all machines have the same bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LANES = 8


def score_codes(codes: NDArray[np.uint8], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores float32 (n_queries, n) of codes (n_queries, n, code_size), whose bits say +1 or -1."""
    sums, ones = _nothing(codes.shape[:2]), _lanes(queries)
    for byte in range(ones.shape[1]):
        bits = np.unpackbits(codes[:, :, byte : byte + 1], axis=2)
        sums += ones[:, byte, None] * (2.0 * bits - 1.0)
    return _total(sums)


def score_vectors(vectors: NDArray[np.float32], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores float32 (n_queries, n) of vectors (n_queries, n, n_dims)."""
    sums, ones, others = _nothing(vectors.shape[:2]), _lanes(queries), _lanes(vectors)
    for block in range(ones.shape[1]):
        sums += ones[:, block, None] * others[:, :, block]
    return _total(sums)


def _nothing(shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.zeros((*shape, LANES))


def _lanes(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Components (..., n_dims) by eights, (..., n_blocks, 8), with zeros behind the last."""
    *shape, n_dims = values.shape
    padded = np.zeros((*shape, (n_dims + LANES - 1) // LANES * LANES))
    padded[..., :n_dims] = values
    return padded.reshape(*shape, padded.shape[-1] // LANES, LANES)


def _total(sums: NDArray[np.float64]) -> NDArray[np.float32]:
    s = np.moveaxis(sums, -1, 0)
    with np.errstate(over="ignore"):  # a sum too large for float32 is infinite
        total: NDArray[np.float32] = (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))).astype(
            np.float32
        )
    return total
