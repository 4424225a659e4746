"""The slow, obvious truth every search is compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]


def hamming_matrix(a: Codes, b: Codes) -> NDArray[np.int32]:
    """Differing bits of every pair, (len(a), len(b))."""
    bits = np.unpackbits(b, axis=1)
    rows = [(np.unpackbits(code) != bits).sum(axis=1) for code in a]
    return np.array(rows, np.int32).reshape(len(a), len(b))


def radius_search(
    codes: Codes, queries: Codes, radius: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """(offsets, distances, rows) of all codes within the radius, ordered by (distance, row)."""
    matrix = hamming_matrix(queries, codes)
    rows = [[i for i in np.argsort(line, kind="stable") if line[i] <= radius] for line in matrix]
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    distances = np.array([matrix[q, i] for q, row in enumerate(rows) for i in row], np.int32)
    return offsets, distances, np.array([i for row in rows for i in row], np.int64)


def nearest(
    codes: Codes, queries: Codes, k: int, radius: int | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(distances, rows) of the k nearest codes (within the radius), missing ones as 2**31 - 1 and -1."""
    matrix = hamming_matrix(queries, codes)
    distances = np.full((len(queries), k), 2**31 - 1, np.int32)
    rows = np.full((len(queries), k), -1, np.int64)
    for q, line in enumerate(matrix):
        order = [i for i in np.argsort(line, kind="stable") if radius is None or line[i] <= radius][:k]
        rows[q, : len(order)] = order
        distances[q, : len(order)] = line[order]
    return distances, rows


def random_codes(rng: np.random.Generator, n: int, n_bits: int, kind: str) -> Codes:
    """Codes of one kind: uniform, skewed (biased bits in equal blocks), duplicates (few distinct) or equal."""
    if kind == "uniform":
        bits = rng.random((n, n_bits)) < 0.5
    elif kind == "skewed":
        bias = rng.choice([0.02, 0.1, 0.5, 0.9, 0.98], n_bits)
        blocks = np.repeat(rng.random((n, n_bits // 4 + 1)), 4, axis=1)[:, :n_bits]
        bits = blocks < bias
    elif kind == "duplicates":
        bits = (rng.random((4, n_bits)) < 0.5)[rng.integers(0, 4, n)]
    elif kind == "equal":
        bits = np.repeat(rng.random((1, n_bits)) < 0.5, n, axis=0)
    else:
        raise ValueError(kind)
    return np.packbits(bits, axis=1)


def codes_of(seed: int, n: int, n_bits: int = 64) -> Codes:
    """Uniform codes, (n, code_size)."""
    return random_codes(np.random.default_rng(seed), n, n_bits, "uniform")
