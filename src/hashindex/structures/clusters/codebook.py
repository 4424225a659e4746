"""Centroids by k-majority, the k-means of binary codes; deterministic.

Grana, Borghesani, Manfredi, Cucchiara: A Fast Approach for Integrating ORB Descriptors in the Bag of Words Model, 2013.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from ...engines import Engine
from ...engines.rows import Codes
from ...support.native import core

MOST = 8192  # centroids
SAMPLED = 24  # codes per centroid that train it
ROUNDS = 5
COLUMNS = 16  # bytes
MOST_ADDED = 255  # bits as bytes, whose sum is one


def n_clusters(n_codes: int) -> int:
    """About as many as there are codes in each."""
    return min(max(isqrt(n_codes), 1), MOST)


def outgrown(centroids: Codes, n_codes: int) -> bool:
    """Whether ``n_codes`` would have more than twice as many, four times as many codes as these were made for."""
    return n_clusters(n_codes) > 2 * len(centroids)


def codebook(codes: Codes, engine: Engine, n_threads: int) -> Codes:
    """Centroids (n_clusters, code_size) of codes (n, code_size), trained on a sample."""
    n = n_clusters(len(codes))
    stride = max(1, len(codes) // (SAMPLED * n))
    sample = np.ascontiguousarray(codes[::stride])
    centroids = sample[np.linspace(0, len(sample) - 1, n).astype(np.int64)]
    for _ in range(ROUNDS):
        of, _ = engine.clusters.assign(sample, centroids, n_threads)
        centroids = majorities(sample, of, centroids)
    return centroids


def majorities(codes: Codes, of: NDArray[np.int64], centroids: Codes) -> Codes:
    """For each cluster the bits that more than half of its codes have; a centroid without codes stays."""
    if core is None:
        return added_majorities(codes, of, centroids)
    return core.majorities(np.ascontiguousarray(codes), of, centroids)


def added_majorities(codes: Codes, of: NDArray[np.int64], centroids: Codes) -> Codes:
    """:func:`majorities` without the native core."""
    order = np.argsort(of, kind="stable")
    counts = np.bincount(of, minlength=len(centroids))
    some = np.flatnonzero(counts)
    n_pieces = -(-counts[some] // MOST_ADDED)
    first = np.cumsum(n_pieces) - n_pieces  # pieces of each cluster
    begins = np.repeat((np.cumsum(counts) - counts)[some] - MOST_ADDED * first, n_pieces)
    begins += MOST_ADDED * np.arange(len(begins))
    ordered, new = codes[order], centroids.copy()
    for column in range(0, codes.shape[1], COLUMNS):  # a byte for each bit, of some bits at a time, eight bytes added
        bits = np.unpackbits(ordered[:, column : column + COLUMNS], axis=1)
        pieces = np.add.reduceat(bits.view(np.uint64), begins, axis=0).view(np.uint8)
        ones = np.add.reduceat(pieces, first, axis=0, dtype=np.int64)
        new[some, column : column + COLUMNS] = np.packbits(2 * ones > counts[some, None], axis=1)
    return new
