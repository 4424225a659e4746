"""The Numba kernels of the linear scan: tiles of codes, transposed so that LLVM vectorises over the codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hits import MISSING, QUERY_SHIFT, ROW_BITS, Hits
from ..rows import Codes, Rows
from .common import Words, cut, distance_to, grown, is_removed, kernel, popcount, read_words, words_by_query

TILE_CODES = 1024  # codes measured between two looks at the least distance
TILE_WORDS = 4096  # 32 KiB: a tile stays in the first-level cache for all queries of a block
TILED_QUERIES = 4  # fewer read the codes faster as they lie


@kernel
def measure(tile: Words, query: Words, distances: NDArray[np.int64]) -> int:
    """Distances of the query (n_words,) to the first codes of the tile; returns the least."""
    n, n_words, word, least = len(distances), len(query), 0, 2**31
    if n_words == 1:
        a = tile[0, :n]
        for i in range(n):
            distances[i] = popcount(a[i] ^ query[0])
            least = min(least, distances[i])
        return least
    distances[:] = 0
    while word + 4 <= n_words:
        a, b, c, d = tile[word, :n], tile[word + 1, :n], tile[word + 2, :n], tile[word + 3, :n]
        for i in range(n):
            distances[i] += (
                popcount(a[i] ^ query[word])
                + popcount(b[i] ^ query[word + 1])
                + popcount(c[i] ^ query[word + 2])
                + popcount(d[i] ^ query[word + 3])
            )
        word += 4
    while word < n_words:
        a = tile[word, :n]
        for i in range(n):
            distances[i] += popcount(a[i] ^ query[word])
        word += 1
    for i in range(n):
        least = min(least, distances[i])
    return least


@kernel
def measure_rows(codes: Codes, first: int, queries: Words, q: int, distances: NDArray[np.int64]) -> int:
    """As ``measure``, of the codes from row ``first`` on as they lie in memory: for few queries a tile does not pay."""
    least = 2**31
    for i in range(len(distances)):
        distances[i] = distance_to(codes, first + i, queries, q)
        least = min(least, distances[i])
    return least


@kernel
def tile_codes(n_words: int) -> int:
    """Codes per tile."""
    return max(16, min(TILE_CODES, TILE_WORDS // n_words))


@kernel
def scan_radius(among: Rows, queries: Codes, begin: int, end: int, radii: NDArray[np.int32]) -> Hits:
    """Hits of all queries (numbered from bit QUERY_SHIFT on) among rows ``begin`` to ``end``, in no order."""
    codes, removed = among.codes, among.removed
    n_words, n_queries, n_found = (codes.shape[1] + 7) // 8, len(queries), 0
    step, log = tile_codes(n_words), np.empty(TILE_CODES, np.int64)
    tile = np.empty((n_words, step), np.uint64)
    buffer = np.empty(step, np.int64)
    by_query, tiled = words_by_query(queries), n_queries >= TILED_QUERIES
    for first in range(begin, end, step):
        n = min(step, end - first)
        if tiled:
            read_words(codes, first, first + n, tile)
        distances = buffer[:n]
        for q in range(n_queries):
            query = by_query[q]
            least = measure(tile, query, distances) if tiled else measure_rows(codes, first, by_query, q, distances)
            radius = radii[q]
            if least > radius:
                continue
            log = grown(log, n_found + n)
            for i in range(n):
                if distances[i] <= radius and not is_removed(removed, first + i):
                    log[n_found] = q << QUERY_SHIFT | distances[i] << ROW_BITS | (first + i)
                    n_found += 1
    return log[:n_found]


@kernel
def scan_nearest(among: Rows, queries: Codes, begin: int, end: int, k: int, radii: NDArray[np.int32]) -> Hits:
    """The k least hits of each query (n_queries, k) among rows ``begin`` to ``end``, unsorted, padded with MISSING.

    A bounded log per query, cut to its k least whenever it is full. A later code at the k-th distance has a higher
    row, so that only nearer ones are looked for from then on.
    """
    codes, removed = among.codes, among.removed
    n_words, n_queries = (codes.shape[1] + 7) // 8, len(queries)
    step, capacity = tile_codes(n_words), min(2 * k + 64, end - begin + 1)
    tile = np.empty((n_words, step), np.uint64)
    logs, lengths = np.empty((n_queries, capacity), np.int64), np.zeros(n_queries, np.int64)
    limits, buffer = radii.astype(np.int64) + 1, np.empty(step, np.int64)  # distances below the limit count
    by_query, tiled = words_by_query(queries), n_queries >= TILED_QUERIES
    for first in range(begin, end, step):
        n = min(step, end - first)
        if tiled:
            read_words(codes, first, first + n, tile)
        distances = buffer[:n]
        for q in range(n_queries):
            query = by_query[q]
            least = measure(tile, query, distances) if tiled else measure_rows(codes, first, by_query, q, distances)
            if least >= limits[q]:
                continue
            log, length, limit = logs[q], lengths[q], limits[q]
            for i in range(n):
                if distances[i] < limit and not is_removed(removed, first + i):
                    log[length] = distances[i] << ROW_BITS | (first + i)
                    length += 1
                    if length == capacity:
                        limit, length = cut(log, length, k) >> ROW_BITS, k
            lengths[q], limits[q] = length, limit
    best = np.full((n_queries, k), MISSING)
    for q in range(n_queries):
        if lengths[q] > k:
            cut(logs[q], lengths[q], k)
        n = min(lengths[q], k)
        best[q, :n] = logs[q, :n]
    return best


@kernel
def mark_relevant(
    labels: NDArray[np.uint32], first: int, wanted: NDArray[np.uint32], shared: bool, relevant: NDArray[np.uint32]
) -> None:
    """Write 1 for each label, a column from ``first`` on, that is relevant to the label words ``wanted``, else 0."""
    n = len(relevant)
    relevant[:] = 0  # bits in common, or bits that differ
    for word in range(len(wanted)):
        column, bits = labels[word, first : first + n], wanted[word]
        if shared:
            for i in range(n):
                relevant[i] |= column[i] & bits
        else:
            for i in range(n):
                relevant[i] |= column[i] ^ bits
    for i in range(n):
        relevant[i] = (relevant[i] != 0) == shared


@kernel
def count_distances(
    codes: Codes, queries: Codes, labels: NDArray[np.uint32], wanted: NDArray[np.uint32], shared: bool
) -> NDArray[np.int64]:
    """Codes and relevant codes by distance, (2, n_queries, 8 * code_size + 1); see ``Relevance``."""
    n_words, n_queries, n_codes = (codes.shape[1] + 7) // 8, len(queries), len(codes)
    counts = np.zeros((2, n_queries, 8 * codes.shape[1] + 1), np.int64)
    step = tile_codes(n_words)
    tile = np.empty((n_words, step), np.uint64)
    distances, relevant = np.empty(step, np.int64), np.empty(step, np.uint32)
    by_query = words_by_query(queries)
    for first in range(0, n_codes, step):
        n = min(step, n_codes - first)
        read_words(codes, first, first + n, tile)
        for q in range(n_queries):
            measure(tile, by_query[q], distances[:n])
            if q == 0 or not np.array_equal(wanted[q], wanted[q - 1]):
                mark_relevant(labels, first, wanted[q], shared, relevant[:n])
            all_codes, relevant_codes = counts[0, q], counts[1, q]
            for i in range(n):
                all_codes[distances[i]] += 1
                relevant_codes[distances[i]] += relevant[i]
    return counts
