"""The Numba kernels of multi-index hashing: building the tables and looking into their buckets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..tables import Tables
from .engine import Codes, Rows
from .hits import MISSING, QUERY_SHIFT, ROW_BITS, WORTH_TRYING, Hits
from .numba_common import (
    Words,
    cut,
    distance_to,
    grown,
    inlined,
    is_removed,
    kernel,
    last_word,
    popcount,
    prefetch,
    read_words,
    whole_word,
)

STEP_CODES = 1024  # codes whose keys are read at once
GROUP = 128  # buckets asked for before the first is looked at
CHUNK = 1024  # candidates between two looks at the room left for hits


class Prober(NamedTuple):
    """A block of queries on its way through the tables."""

    among: Rows
    tables: Tables
    firsts: NDArray[np.int64]  # (n_tables,) where each table's offsets begin
    masks: Words  # (n_tables, n_words)
    queries: Words  # (n_queries, n_words)
    keys: NDArray[np.int64]  # (n_tables, n_queries)
    limits: Hits  # (n_queries,) only hits below are looked for
    shown: NDArray[np.int64]  # (n_tables,) flips up to which all buckets have been shown; -1 = none
    buckets: NDArray[np.int64]  # (GROUP, 3) query, begin, end
    places: NDArray[np.int64]  # (CHUNK,) of candidates that are near enough


@kernel
def read_keys(words: Words, mask: NDArray[np.uint64], keys: NDArray[np.int64]) -> None:
    """Pack the bits that the mask (n_words,) selects of each code, a column of ``words``."""
    place = np.uint64(0)
    keys[:] = 0
    for word in range(len(mask)):
        column = words[word, : len(keys)]
        for bit in range(64):
            shift = np.uint64(bit)
            if mask[word] >> shift & np.uint64(1):
                for i in range(len(keys)):
                    keys[i] |= np.int64((column[i] >> shift & np.uint64(1)) << place)
                place += np.uint64(1)


@kernel
def build_table(
    codes: Codes,
    masks: Codes,
    t: int,
    offsets: NDArray[np.uint32],
    rows: NDArray[np.uint32],
    copies: NDArray[np.uint64],
) -> None:
    """Fill one table's offsets (2**width + 1,), rows (n_codes,) and copies (n_codes,), if not empty, by counting."""
    n, n_words, n_keys, total = len(codes), (codes.shape[1] + 7) // 8, len(offsets) - 1, 0
    words, mask = np.empty((n_words, STEP_CODES), np.uint64), np.empty((n_words, 1), np.uint64)
    keys, some = np.empty(n, np.uint32), np.empty(STEP_CODES, np.int64)
    read_words(masks, t, t + 1, mask)
    offsets[:] = 0
    for first in range(0, n, STEP_CODES):
        last = min(n, first + STEP_CODES)
        read_words(codes, first, last, words)
        read_keys(words, mask[:, 0], some[: last - first])
        for row in range(first, last):
            keys[row] = some[row - first]
            offsets[keys[row]] += 1
    for key in range(n_keys):
        size = int(offsets[key])
        offsets[key] = total
        total += size
    for row in range(n):
        place = offsets[keys[row]]
        offsets[keys[row]] += 1
        rows[place] = row
        if len(copies):
            copies[place] = whole_word(codes, row, 0) if codes.shape[1] == 8 else last_word(codes, row)
    for key in range(n_keys, 0, -1):  # filling has moved every begin to its end
        offsets[key] = offsets[key - 1]
    offsets[0] = 0


@kernel
def prober_of(among: Rows, tables: Tables, queries: Codes) -> Prober:
    """Read the queries' words and keys."""
    n_words, n_queries, n_tables = (queries.shape[1] + 7) // 8, len(queries), len(tables.widths)
    words, masks = np.empty((n_words, n_queries), np.uint64), np.empty((n_words, n_tables), np.uint64)
    keys, firsts = np.empty((n_tables, n_queries), np.int64), np.zeros(n_tables, np.int64)
    read_words(queries, 0, n_queries, words)
    read_words(tables.masks, 0, n_tables, masks)
    for t in range(n_tables):
        read_keys(words, masks[:, t], keys[t])
        if t > 0:
            firsts[t] = firsts[t - 1] + (1 << int(tables.widths[t - 1])) + 1
    limits, shown = np.empty(n_queries, np.int64), np.full(n_tables, -1)
    buckets, places = np.empty((GROUP, 3), np.int64), np.empty(CHUNK, np.int64)
    return Prober(among, tables, firsts, masks.T.copy(), words.T.copy(), keys, limits, shown, buckets, places)


@inlined
def shown_elsewhere(
    codes: Codes, row: int, query: NDArray[np.uint64], masks: Words, shown: NDArray[np.int64], t: int
) -> bool:
    """Whether a table other than t has shown this code: its key lies within ``shown[u]`` flips."""
    n_whole = codes.shape[1] // 8
    for u in range(len(shown)):
        if u != t and shown[u] >= 0:
            flips = 0
            for word in range(len(query)):
                code = whole_word(codes, row, word) if word < n_whole else last_word(codes, row)
                flips += popcount((code ^ query[word]) & masks[u, word])
            if flips <= shown[u]:
                return True
    return False


@kernel
def find_copies(copies: NDArray[np.uint64], query: np.uint64, farthest: int, places: NDArray[np.int64]) -> int:
    """Where copies within ``farthest`` of the query are; returns how many."""
    n = 0
    for i in range(len(copies)):
        places[n] = i
        n += popcount(copies[i] ^ query) <= farthest
    return n


@kernel
def find_codes(
    codes: Codes, rows: NDArray[np.uint32], query: NDArray[np.uint64], farthest: int, places: NDArray[np.int64]
) -> int:
    """As ``find_copies``, of the codes of some rows."""
    n = 0
    for i in range(len(rows)):
        prefetch(codes, rows[i])
    for i in range(len(rows)):
        places[n] = i
        n += distance_to(codes, rows[i], query) <= farthest
    return n


@kernel
def visit(prober: Prober, t: int, n_buckets: int, k: int, log: Hits, n: int) -> tuple[Hits, int]:
    """Append to the log's n hits those in the first of the prober's buckets, of table t.

    Hits in a bucket that another table has shown are left out, so that each is found once without a bitmap. With k,
    all buckets are of one query and the log is cut to its k least where it is full; without, it grows and each hit
    has its query's number.
    """
    codes, removed, masks, shown = prober.among.codes, prober.among.removed, prober.masks, prober.shown
    queries, limits, buckets, places = prober.queries, prober.limits, prober.buckets, prober.places
    rows, copies, copied = prober.tables.rows[t], prober.tables.copies[t], prober.tables.copies.shape[1] > 0
    for bucket in range(n_buckets):
        q, begin, end = buckets[bucket, 0], buckets[bucket, 1], buckets[bucket, 2]
        for first in range(begin, end, CHUNK):
            last, farthest = min(end, first + CHUNK), (limits[q] - 1) >> ROW_BITS
            if copied:
                n_near = find_copies(copies[first:last], queries[q, 0], farthest, places)
            else:
                n_near = find_codes(codes, rows[first:last], queries[q], farthest, places)
            if n_near == 0:
                continue
            if n + n_near > len(log):
                if k:
                    limits[q], n = cut(log, n, k), k
                else:
                    log = grown(log, n + n_near)
            for i in range(n_near):
                row = int(rows[first + places[i]])
                hit = distance_to(codes, row, queries[q]) << ROW_BITS | row
                if hit >= limits[q] or is_removed(removed, row):
                    continue
                if not shown_elsewhere(codes, row, queries[q], masks, shown, t):
                    log[n] = hit if k else q << QUERY_SHIFT | hit
                    n += 1
    return log, n


@kernel
def probe_shell(
    prober: Prober, t: int, flips: int, first: int, last: int, k: int, log: Hits, n: int
) -> tuple[Hits, int, int, int]:
    """As ``visit``, of all buckets of table t exactly ``flips`` flips from the keys of queries ``first`` to ``last``.

    Returns the log, its hits, and how many buckets and candidates there were.
    """
    offsets, buckets, n_buckets, lookups, candidates = prober.tables.offsets, prober.buckets, 0, 0, 0
    rows, copied = prober.tables.rows[t], prober.tables.copies.shape[1] > 0
    copies = prober.tables.copies[t]
    start, n_keys = prober.firsts[t], 1 << int(prober.tables.widths[t])
    for q in range(first, last):
        key, flipped = prober.keys[t, q], (1 << flips) - 1
        while flipped < n_keys:
            place = start + (key ^ flipped)
            begin, end = int(offsets[place]), int(offsets[place + 1])
            lookups += 1
            if begin < end:
                candidates += end - begin
                if copied:
                    prefetch(copies, begin)
                    prefetch(copies, end - 1)
                else:
                    prefetch(rows, begin)
                buckets[n_buckets, 0], buckets[n_buckets, 1], buckets[n_buckets, 2] = q, begin, end
                n_buckets += 1
                if n_buckets == GROUP:
                    log, n = visit(prober, t, n_buckets, k, log, n)
                    n_buckets = 0
            if flipped == 0:
                break
            lowest = flipped & -flipped  # the next number with as many bits: Gosper's hack (HAKMEM 175)
            ripple = flipped + lowest
            flipped = ripple | (flipped ^ ripple) >> (2 + popcount(np.uint64(lowest - 1)))
    log, n = visit(prober, t, n_buckets, k, log, n)
    return log, n, lookups, candidates


@kernel
def probe_radius(
    among: Rows, tables: Tables, queries: Codes, radius: int, thresholds: NDArray[np.int32]
) -> tuple[Hits, int, int]:
    """Hits of all queries (numbered from bit QUERY_SHIFT on) within thresholds[t] flips in table t, in no order.

    Returns also how many buckets were visited and how many candidates they held.
    """
    prober, log, n, lookups, candidates = prober_of(among, tables, queries), np.empty(CHUNK, np.int64), 0, 0, 0
    prober.limits[:] = (radius + 1) << ROW_BITS
    for t in range(len(thresholds)):
        for flips in range(thresholds[t] + 1):
            log, n, visited, seen = probe_shell(prober, t, flips, 0, len(queries), 0, log, n)
            lookups, candidates = lookups + visited, candidates + seen
        prober.shown[t] = thresholds[t]
    return log[:n], lookups, candidates


@kernel
def probe_nearest(
    among: Rows,
    tables: Tables,
    queries: Codes,
    k: int,
    radii: NDArray[np.int32],
    steps: NDArray[np.int32],
    spent: NDArray[np.float64],
    scan_cost: float,
) -> tuple[Hits, NDArray[np.bool_], int, int]:
    """The k least hits of each query (n_queries, k), in no order, padded with MISSING, and which queries are done.

    Pigeonhole: after step s every row within distance s has been seen; with all of a table, every row at all.
    ``spent[s]`` is the predicted cost of the first s steps. Returns also how many buckets and candidates were seen.
    """
    best, done = np.full((len(queries), k), MISSING), np.zeros(len(queries), np.bool_)
    prober, log, lookups, candidates = prober_of(among, tables, queries), np.empty(2 * (k + CHUNK), np.int64), 0, 0
    for q in range(len(queries)):
        n, radius = 0, int(radii[q])
        prober.limits[q] = (radius + 1) << ROW_BITS
        prober.shown[:] = -1
        for s in range(len(steps)):
            t, flips = int(steps[s, 0]), int(steps[s, 1])
            log, n, visited, seen = probe_shell(prober, t, flips, q, q + 1, k, log, n)
            lookups, candidates = lookups + visited, candidates + seen
            if n >= k:
                prober.limits[q], n = cut(log, n, k), k
                radius = prober.limits[q] >> ROW_BITS
            prober.shown[t] = flips
            if radius <= s or flips == tables.widths[t]:
                done[q] = True
                break
            certain = radius + 1 < len(spent) and spent[radius + 1] - spent[s + 1] <= scan_cost
            if not certain and s + 1 < len(steps) and spent[s + 2] > WORTH_TRYING * scan_cost:
                break
        best[q, :n] = log[:n]
    return best, done, lookups, candidates
