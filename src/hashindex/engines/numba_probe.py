"""The Numba kernels of multi-index hashing: building the tables and looking into their buckets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..tables import Tables
from .engine import Codes
from .hits import MISSING, QUERY_SHIFT, ROW_BITS, Hits
from .numba_common import cut, distance_to, grown, inlined, kernel, popcount, read_words


@inlined
def read_key(codes: Codes, row: int, start: int, width: int) -> int:
    """The ``width`` bits of a code from bit ``start`` on."""
    last, value = (start + width - 1) // 8, 0
    for byte in range(start // 8, last + 1):
        value = value << 8 | int(codes[row, byte])
    return value >> (8 * (last + 1) - start - width) & ((1 << width) - 1)


@kernel
def build_table(codes: Codes, start: int, width: int, offsets: NDArray[np.uint32], rows: NDArray[np.uint32]) -> None:
    """Fill one table's offsets (2**width + 1,) and rows (n_codes,) by counting."""
    keys, place = np.empty(len(codes), np.uint32), np.zeros(1 << width, np.int64)
    for row in range(len(codes)):
        keys[row] = read_key(codes, row, start, width)
        place[keys[row]] += 1
    total = 0
    for key in range(1 << width):
        offsets[key], size = total, place[key]
        place[key] = total
        total += size
    offsets[1 << width] = total
    for row in range(len(codes)):
        rows[place[keys[row]]] = row
        place[keys[row]] += 1


@kernel
def first_offsets(widths: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where each table's offsets begin."""
    firsts = np.zeros(len(widths), np.int64)
    for t in range(1, len(widths)):
        firsts[t] = firsts[t - 1] + (1 << int(widths[t - 1])) + 1
    return firsts


@kernel
def read_keys(queries: Codes, q: int, tables: Tables, keys: NDArray[np.int64]) -> None:
    """The query's key in each table."""
    for t in range(len(keys)):
        keys[t] = read_key(queries, q, int(tables.starts[t]), int(tables.widths[t]))


@inlined
def shown_elsewhere(
    codes: Codes, row: int, tables: Tables, t: int, keys: NDArray[np.int64], shown: NDArray[np.int64]
) -> bool:
    """Whether a table other than t has shown this code: its key lies within ``shown[u]`` flips."""
    for u in range(len(keys)):
        if u != t and shown[u] >= 0:
            key = read_key(codes, row, int(tables.starts[u]), int(tables.widths[u]))
            if popcount(np.uint64(key ^ keys[u])) <= shown[u]:
                return True
    return False


@kernel
def probe_shell(
    codes: Codes,
    tables: Tables,
    firsts: NDArray[np.int64],
    query: NDArray[np.uint64],
    keys: NDArray[np.int64],
    t: int,
    flips: int,
    shown: NDArray[np.int64],
    limit: int,
    log: Hits,
    n: int,
) -> tuple[Hits, int]:
    """Append to the log's n hits those below ``limit`` in the buckets of table t exactly ``flips`` flips away.

    Hits in a bucket that another table has shown are left out, so that each is found once without a bitmap.
    """
    last, mask = 1 << int(tables.widths[t]), (1 << flips) - 1
    while mask < last:
        bucket = firsts[t] + (keys[t] ^ mask)
        begin, end = int(tables.offsets[bucket]), int(tables.offsets[bucket + 1])
        log = grown(log, n + end - begin)
        for i in range(begin, end):
            row = int(tables.rows[t, i])
            hit = distance_to(codes, row, query) << ROW_BITS | row
            if hit < limit and not shown_elsewhere(codes, row, tables, t, keys, shown):
                log[n] = hit
                n += 1
        if mask == 0:
            break
        lowest = mask & -mask  # the next mask with as many bits: Gosper's hack (HAKMEM 175)
        ripple = mask + lowest
        mask = ripple | ((mask ^ ripple) >> 2) // lowest
    return log, n


@kernel
def probe_radius(codes: Codes, tables: Tables, queries: Codes, radius: int, thresholds: NDArray[np.int32]) -> Hits:
    """Hits of all queries (numbered from bit QUERY_SHIFT on) within thresholds[t] flips in table t, in no order."""
    n_words, n_tables, n_found = (codes.shape[1] + 7) // 8, len(thresholds), 0
    words, firsts = np.empty((n_words, len(queries)), np.uint64), first_offsets(tables.widths)
    keys, shown, log = np.empty(n_tables, np.int64), np.empty(n_tables, np.int64), np.empty(1024, np.int64)
    read_words(queries, 0, len(queries), words)
    by_query, limit = words.T.copy(), (radius + 1) << ROW_BITS
    for q in range(len(queries)):
        n_before = n_found
        read_keys(queries, q, tables, keys)
        shown[:] = -1
        for t in range(n_tables):
            for flips in range(thresholds[t] + 1):
                log, n_found = probe_shell(
                    codes, tables, firsts, by_query[q], keys, t, flips, shown, limit, log, n_found
                )
            shown[t] = thresholds[t]
        for i in range(n_before, n_found):
            log[i] |= q << QUERY_SHIFT
    return log[:n_found]


@kernel
def probe_nearest(codes: Codes, tables: Tables, queries: Codes, k: int, radius: int) -> Hits:
    """The k least hits of each query (n_queries, k), in no order, padded with MISSING.

    Pigeonhole: with shells 0..shown[t] of every table seen, every code within ``sum(shown + 1) - 1`` has been seen.
    The table with the cheapest next shell is widened until that covers the k-th distance or the radius, or until a
    table has been seen whole.
    """
    n_words, n_tables = (codes.shape[1] + 7) // 8, len(tables.widths)
    words, firsts = np.empty((n_words, len(queries)), np.uint64), first_offsets(tables.widths)
    keys, shown, log = np.empty(n_tables, np.int64), np.empty(n_tables, np.int64), np.empty(1024, np.int64)
    sizes, best = np.empty(n_tables, np.int64), np.full((len(queries), k), MISSING)
    if k == 0:
        return best
    read_words(queries, 0, len(queries), words)
    by_query = words.T.copy()
    for q in range(len(queries)):
        read_keys(queries, q, tables, keys)
        shown[:] = -1
        sizes[:] = 1  # keys in the next shell
        covered, n, limit = -1, 0, (radius + 1) << ROW_BITS
        while covered < radius and (n < k or covered < limit >> ROW_BITS):
            t = int(np.argmin(sizes))
            flips = int(shown[t]) + 1
            log, n = probe_shell(codes, tables, firsts, by_query[q], keys, t, flips, shown, limit, log, n)
            if n >= k:
                limit, n = cut(log, n, k), k
            shown[t], covered = flips, covered + 1
            width = int(tables.widths[t])
            if flips == width:
                break
            sizes[t] = sizes[t] * (width - flips) // (flips + 1)
        best[q, :n] = log[:n]
    return best
