"""The Numba kernels of multi-index hashing: building the tables and looking into their buckets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..hits import MISSING, QUERY_SHIFT, ROW_BITS, WORTH_TRYING, Hits
from ..rows import Codes, Rows
from ..tables import Tables
from .common import Words, cut, grown, is_removed, kernel, popcount, prefetch_run, read_word, read_words

STEP_CODES = 1024  # codes whose keys are read at once
GROUP = 128  # buckets asked for before the first is looked at
CHUNK = 1024  # candidates that wait for their rows or codes at once
QUERY, FLIPPED, BUCKET, HITS, LOOKUPS, CANDIDATES = range(6)  # what a prober counts


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
    buckets: NDArray[np.uint64]  # (GROUP, 3) query, begin and end of the places
    waiting: NDArray[np.uint64]  # (CHUNK,) candidates: query << ROW_BITS | place
    counts: NDArray[np.int64]  # (6,) the next query, flipped bits and bucket; how many so far


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
            copies[place] = read_word(codes, row, 0)
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
    buckets, waiting = np.empty((GROUP, 3), np.uint64), np.empty(CHUNK, np.uint64)
    counts, by_query = np.zeros(6, np.int64), words.T.copy()
    return Prober(among, tables, firsts, masks.T.copy(), by_query, keys, limits, shown, buckets, waiting, counts)


@kernel
def next_buckets(prober: Prober, t: int, flips: int, last: int) -> int:
    """Fill the prober's buckets with the next of table t exactly ``flips`` flips from the key of a query < ``last``.

    Bounds are kept within the rows, and rows below within the codes: a map of a damaged file may hold anything.
    """
    offsets, rows, copies, keys = prober.tables.offsets, prober.tables.rows, prober.tables.copies, prober.keys
    buckets, counts, n, lookups, candidates = prober.buckets, prober.counts, 0, 0, 0
    start, n_keys, least = prober.firsts[t], 1 << int(prober.tables.widths[t]), (1 << flips) - 1
    q, flipped, n_rows = counts[QUERY], counts[FLIPPED], np.uint32(rows.shape[1])
    while q < last and flipped < n_keys and n < len(buckets):
        place = np.uint64(start + (keys[t, q] ^ flipped))
        begin, end = offsets[place], min(offsets[place + np.uint64(1)], n_rows)
        lookups += 1
        if begin < end:
            if t < len(copies):
                prefetch_run(copies, t, begin, end)
            else:
                prefetch_run(rows, t, begin, end)
            buckets[n, 0], buckets[n, 1], buckets[n, 2] = q, begin, end
            candidates += int(end) - int(begin)
            n += 1
        lowest = flipped & -flipped  # the next number with as many bits: Gosper's hack (HAKMEM 175)
        ripple = flipped + lowest
        flipped = ripple | (flipped ^ ripple) >> (2 + popcount(np.uint64(lowest - 1)))
        if flips == 0 or flipped >= n_keys:
            q, flipped = q + 1, least
    counts[QUERY], counts[FLIPPED], counts[BUCKET] = q, flipped, 0
    counts[LOOKUPS] += lookups
    counts[CANDIDATES] += candidates
    return n


@kernel
def next_candidates(prober: Prober, t: int, n_buckets: int) -> int:
    """Let the next candidates of the buckets wait: of codes that have copies in table t only those near enough."""
    codes, rows, copies = prober.among.codes, prober.tables.rows, prober.tables.copies
    queries, limits, buckets, waiting = prober.queries, prober.limits, prober.buckets, prober.waiting
    n, room, bucket = np.uint64(0), np.uint64(len(waiting)), prober.counts[BUCKET]
    last_row = np.uint32(len(codes) - 1)
    while bucket < n_buckets and n < room:
        q, begin, end = buckets[bucket, 0], buckets[bucket, 1], buckets[bucket, 2]
        last, number = min(end, begin + room - n), q << np.uint64(ROW_BITS)
        word, farthest = queries[q, 0], (limits[q] - 1) >> ROW_BITS
        for place in range(begin, last):
            waiting[n] = number | place
            if t < len(copies):
                n += np.uint64(popcount(copies[t, place] ^ word) <= farthest)
            else:
                prefetch_run(codes, min(rows[t, place], last_row), 0, codes.shape[1])
                n += np.uint64(1)
        buckets[bucket, 1] = last
        bucket += last == end
    prober.counts[BUCKET] = bucket
    return int(n)


@kernel
def log_hits(prober: Prober, t: int, n_waiting: int, numbered: bool, log: Hits) -> None:
    """Append the hits among the candidates that wait to the log, with their query's number if ``numbered``.

    What another table has shown, its key within ``shown[u]`` flips, is left out: each hit is found once without a
    bitmap.
    """
    codes, removed, rows, copies = prober.among.codes, prober.among.removed, prober.tables.rows, prober.tables.copies
    queries, limits, masks, shown = prober.queries, prober.limits, prober.masks, prober.shown
    waiting, n, copied = prober.waiting, prober.counts[HITS], t < len(copies)
    for i in range(n_waiting):
        q, place = waiting[i] >> np.uint64(ROW_BITS), waiting[i] & np.uint64(2**ROW_BITS - 1)
        row, distance = min(int(rows[t, place]), len(codes) - 1), 0
        for word in range(queries.shape[1]):
            code = copies[t, place] if copied else read_word(codes, row, word)
            distance += popcount(code ^ queries[q, word])
        hit, is_new = distance << ROW_BITS | row, True
        if hit >= limits[q] or is_removed(removed, row):
            continue
        for u in range(len(shown)):
            if u != t and shown[u] >= 0:
                flips = 0
                for word in range(queries.shape[1]):
                    code = copies[t, place] if copied else read_word(codes, row, word)
                    flips += popcount((code ^ queries[q, word]) & masks[u, word])
                is_new = is_new and flips > shown[u]
        log[n] = np.int64(q) << QUERY_SHIFT | hit if numbered else hit
        n += is_new
    prober.counts[HITS] = n


@kernel
def probe_shell(prober: Prober, t: int, flips: int, first: int, last: int, k: int, log: Hits) -> Hits:
    """Log the hits of queries ``first`` to ``last`` in all buckets of table t exactly ``flips`` flips from their keys.

    Returns the log, which may have moved. With k, there is one query and a full log is cut to its k least; without,
    it grows and each hit has its query's number. The loops that count are in functions of their own: an array that is
    assigned anew in a loop costs Numba two atomic operations each time round.
    """
    counts = prober.counts
    counts[QUERY], counts[FLIPPED] = first, (1 << flips) - 1
    while True:
        n_buckets = next_buckets(prober, t, flips, last)
        if n_buckets == 0:
            return log
        while counts[BUCKET] < n_buckets:
            n_waiting = next_candidates(prober, t, n_buckets)
            if counts[HITS] + n_waiting > len(log):
                if k:
                    prober.limits[first], counts[HITS] = cut(log, counts[HITS], k), k
                else:
                    log = grown(log, counts[HITS] + n_waiting)
            log_hits(prober, t, n_waiting, k == 0, log)


@kernel
def probe_radius(
    among: Rows, tables: Tables, queries: Codes, radii: NDArray[np.int32], thresholds: NDArray[np.int32]
) -> tuple[Hits, int, int]:
    """Hits of all queries (numbered from bit QUERY_SHIFT on) within thresholds[t] flips in table t, in no order.

    Returns also how many buckets were visited and how many candidates they held.
    """
    prober, log = prober_of(among, tables, queries), np.empty(CHUNK, np.int64)
    counts = prober.counts
    for q in range(len(queries)):
        prober.limits[q] = (int(radii[q]) + 1) << ROW_BITS
    for t in range(len(thresholds)):
        for flips in range(thresholds[t] + 1):
            log = probe_shell(prober, t, flips, 0, len(queries), 0, log)
        prober.shown[t] = thresholds[t]
    return log[: counts[HITS]], counts[LOOKUPS], counts[CANDIDATES]


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
    prober, log = prober_of(among, tables, queries), np.empty(2 * (k + CHUNK), np.int64)
    counts, limits = prober.counts, prober.limits
    for q in range(len(queries)):
        radius, counts[HITS] = int(radii[q]), 0
        limits[q] = (radius + 1) << ROW_BITS
        prober.shown[:] = -1
        for s in range(len(steps)):
            t, flips = int(steps[s, 0]), int(steps[s, 1])
            log = probe_shell(prober, t, flips, q, q + 1, k, log)
            if 0 < k <= counts[HITS]:
                limits[q], counts[HITS] = cut(log, counts[HITS], k), k
                radius = limits[q] >> ROW_BITS
            prober.shown[t] = flips
            if radius <= s or flips == tables.widths[t]:
                done[q] = True
                break
            certain = radius + 1 < len(spent) and spent[radius + 1] - spent[s + 1] <= scan_cost
            if not certain and s + 1 < len(steps) and spent[s + 2] > WORTH_TRYING * scan_cost:
                break
        n = min(counts[HITS], k)
        best[q, :n] = log[:n]
    return best, done, counts[LOOKUPS], counts[CANDIDATES]
