"""What the NumPy searches share: words of codes, blocks of them, hits within a radius."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hits import MISSING, ROW_BITS, Hits, nearest_rows, radius_rows
from ..results import NearestRows, RadiusRows, Work
from ..rows import Codes

BLOCK_BYTES = 2**22  # of working memory, about, per array


def words_of(codes: Codes) -> NDArray[np.uint64]:
    """Codes (n, code_size) as little-endian words (n_words, n), the last one padded with zeros."""
    n, code_size = codes.shape
    padded = np.zeros((n, -(-code_size // 8) * 8), np.uint8)
    padded[:, :code_size] = codes
    return np.ascontiguousarray(padded.view("<u8").T).astype(np.uint64, copy=False)


def blocks_of(n: int, code_size: int) -> list[tuple[int, int]]:
    """Consecutive (begin, end) of n codes, in blocks of about ``BLOCK_BYTES``."""
    step = max(1, BLOCK_BYTES // code_size)
    return [(begin, min(n, begin + step)) for begin in range(0, n, step)]


def distances_to(words: NDArray[np.uint64], query_words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Of the codes with ``words`` (n_words, n) to the query (n_words,)."""
    distances: NDArray[np.int64] = np.bitwise_count(words ^ query_words[:, None]).sum(axis=0, dtype=np.int64)
    return distances


def distances_of(codes: Codes, queries: Codes, rows: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the code in each of ``rows`` (n,) to its query ``of`` (n,)."""
    distances: NDArray[np.int64] = np.bitwise_count(codes[rows] ^ queries[of]).sum(axis=1, dtype=np.int64)
    return distances


def hits_within(
    words: NDArray[np.uint64],
    rows: NDArray[np.int64],
    query_words: NDArray[np.uint64],
    radius: int,
    removed: NDArray[np.uint8],
) -> Hits:
    """Those of ``rows`` (n,), with ``words`` (n_words, n), that lie within ``radius`` of the query (n_words,)."""
    distances = distances_to(words, query_words)
    near = np.flatnonzero(distances <= radius)
    if len(removed):
        near = near[removed[rows[near] >> 3] >> (rows[near] & 7).astype(np.uint8) & 1 == 0]
    hits: Hits = distances[near] << ROW_BITS | rows[near]
    return hits


def joined(hits: list[Hits], work: Work) -> RadiusRows:
    """The sorted hits of each query."""
    counts = np.array([len(found) for found in hits], np.intp)
    return radius_rows(counts, np.concatenate([np.empty(0, np.int64), *hits]), work)


def stacked(hits: list[Hits], k: int, work: Work) -> NearestRows:
    """The sorted hits of each query, at most k, padded."""
    best = np.full((len(hits), k), MISSING)
    for q, found in enumerate(hits):
        best[q, : len(found)] = found
    return nearest_rows(best, work)
