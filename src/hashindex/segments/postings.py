"""Equal codes stored once, with the rows that hold them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines.rows import spans
from ..support.native import core

SAMPLE_BITS = 13  # the estimate looks at one of every n_codes / 2**13 values
CHUNK = 2**15  # codes hashed at once, in the cache
LONG = 256  # rows per code, on average, from which copying runs beats indexing
QUERIES = 2**13  # whose numbers, with a distance and a row, fit an integer
MOST_HELD = 2**22  # rows at once
DAMAGED = "the file that this index maps is damaged: load() without mmap says where"


class Postings(NamedTuple):
    """Rows ``rows[starts[u] : starts[u + 1]]``, ascending, hold distinct code u.

    Distinct codes stand in the order of their first row. Therefore the k nearest rows always belong to the k nearest
    distinct codes, both ordered by (distance, row): codes before a row's own each have a row before it.
    """

    starts: NDArray[np.int64]  # (n_distinct + 1,)
    rows: NDArray[np.uint32]  # (n_rows,)

    @property
    def owners(self) -> NDArray[np.int64]:
        """The distinct code of each row, (n_rows,); ValueError if a row has none, as in a damaged file."""
        owners, counts = np.full(len(self.rows), -1, np.int64), np.diff(self.starts)
        try:
            owners[self.rows] = np.repeat(np.arange(len(counts)), counts)
        except (IndexError, ValueError):
            raise ValueError(DAMAGED) from None
        if (owners < 0).any():
            raise ValueError(DAMAGED)
        return owners

    def without(self, removed: NDArray[np.bool_]) -> Postings:
        """The same codes, held by the rows that are not ``removed`` (n_rows,), which tells of :attr:`rows`."""
        left = np.append(0, np.cumsum(~removed))
        return Postings(left[self.starts], self.rows[~removed])

    def emptied(self, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which codes are left without a row if only some are ``kept`` (n_rows,)."""
        left = np.append(0, np.cumsum(kept[self.rows]))[self.starts]
        none: NDArray[np.bool_] = left[1:] == left[:-1]
        return none

    def held_by(self, codes: NDArray[np.int64]) -> int:
        """How many rows hold ``codes``."""
        return int(self.counts(codes).sum())

    def firsts(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first row of each of ``codes`` (any shape); ValueError where that cannot be, as in a damaged file."""
        if not self.counts(codes).all():
            raise ValueError(DAMAGED)
        rows = self.rows[self.starts[codes]].astype(np.int64)
        if (rows >= len(self.rows)).any():
            raise ValueError(DAMAGED)
        return rows

    def counts(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many rows hold each of ``codes``; ValueError where that cannot be, as in a damaged file."""
        begins, ends = self.starts[codes], self.starts[codes + 1]
        if ((begins < 0) | (ends < begins) | (ends > len(self.rows))).any():
            raise ValueError(DAMAGED)
        held: NDArray[np.int64] = ends - begins
        return held


def estimate_distinct(codes: NDArray[np.uint8]) -> int:
    """About how many distinct codes there are, within some percent.

    Counts the distinct ones among those whose hash begins with zeros: a sample of the values, not of the rows, so that
    the estimate is right however often each value occurs.
    """
    return sampled_distinct(codes) if core is None else core.estimate_distinct(np.ascontiguousarray(codes))


def sampled_distinct(codes: NDArray[np.uint8]) -> int:
    """:func:`estimate_distinct` without the native core."""
    n = len(codes)
    shift = max(0, n.bit_length() - SAMPLE_BITS)
    if shift == 0:
        return _n_distinct(_hashes(codes))
    sampled = []
    for begin in range(0, n, CHUNK):
        hashes = _hashes(codes[begin : begin + CHUNK])
        sampled.append(hashes[hashes >> np.uint64(64 - shift) == 0])
    return min(n, max(1, _n_distinct(np.concatenate(sampled)) << shift))


def collapse(codes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Postings]:
    """Return the distinct codes in the order of their first row, and who holds them."""
    firsts, owners = group(codes)
    starts = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(firsts)))])
    return codes[firsts], Postings(starts, np.argsort(owners, kind="stable").astype(np.uint32))


def group(codes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each distinct code, ascending, and which of those codes each row holds, (n,)."""
    _, firsts, owners = np.unique(_hashes(codes), return_index=True, return_inverse=True)
    if not (codes[firsts[owners]] == codes).all():  # two codes share a hash
        _, firsts, owners = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    is_first = np.zeros(len(codes), np.bool_)
    is_first[firsts] = True
    numbers = np.cumsum(is_first) - 1
    return np.flatnonzero(is_first), numbers[firsts][owners.reshape(-1)]


def expand_radius(
    offsets: NDArray[np.int64], distances: NDArray[np.int32], found: NDArray[np.int64], postings: Postings
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Turn distinct codes ``found`` within a radius into rows, each query's ordered by (distance, row)."""
    counts = postings.counts(found)
    if int(counts.sum()) > (len(offsets) - 1) * len(postings.rows):
        raise ValueError(DAMAGED)
    queries = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    same = (distances[1:] == distances[:-1]) & (queries[1:] == queries[:-1])
    rows, away = _rows(found, counts, postings), np.repeat(distances, counts)
    if same.any():  # rows of several codes at one distance must be sorted; those of one code are
        several = np.append(same, False)
        several[1:] |= same
        group = np.cumsum(np.append(True, ~same))
        mixed = np.repeat(several, counts)
        keys = np.repeat(group[several] << 32, counts[several]) | rows[mixed]
        rows[mixed] = np.sort(keys) & 0xFFFFFFFF
    return np.concatenate([[0], np.cumsum(counts)])[offsets], away, rows


def expand_nearest(
    distances: NDArray[np.int32], found: NDArray[np.int64], k: int, postings: Postings
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Turn the nearest distinct codes (n_queries, k') into the ``k`` nearest rows, missing ones as in the input."""
    near = np.full((len(found), k), np.iinfo(np.int32).max, np.int32)
    rows = np.full((len(found), k), -1, np.int64)
    step = max(1, min(QUERIES, MOST_HELD // max(k * k, 1)))  # each of k codes may have k rows
    for begin in range(0, len(found), step):
        block = slice(begin, begin + step)
        away, codes = distances[block].astype(np.int64), np.maximum(found[block], 0)
        counts = np.where(found[block] >= 0, np.minimum(postings.counts(codes), k), 0)
        # Codes at a distance before which k rows have been counted cannot matter.
        before = np.cumsum(counts, axis=1) - counts
        first = np.where(np.diff(away, axis=1, prepend=-1) != 0, np.arange(codes.shape[1]), 0)
        counts[np.take_along_axis(before, np.maximum.accumulate(first, axis=1), axis=1) >= k] = 0
        queries = np.arange(len(codes))[:, None]
        held = np.repeat((queries << 49 | away << 32).ravel(), counts.ravel())
        held = np.sort(held | _rows(codes.ravel(), counts.ravel(), postings))
        queries, totals = held >> 49, counts.sum(axis=1)
        places = np.arange(len(held)) - np.repeat(np.cumsum(totals) - totals, totals)
        kept = places < k
        near[block][queries[kept], places[kept]] = held[kept] >> 32 & 0x1FFFF
        rows[block][queries[kept], places[kept]] = held[kept] & 0xFFFFFFFF
    return near, rows


def _rows(codes: NDArray[np.int64], counts: NDArray[np.int64], postings: Postings) -> NDArray[np.int64]:
    """The first ``counts`` rows of each of ``codes``, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    rows = np.empty(total, np.int64)
    if total > LONG * len(codes):  # long runs: copy one by one
        begins = postings.starts[codes]
        for begin, count, end in zip(begins.tolist(), counts.tolist(), ends.tolist(), strict=True):
            rows[end - count : end] = postings.rows[begin : begin + count]
    else:
        rows[:] = postings.rows[spans(postings.starts[codes], counts)]
    return rows


def _n_distinct(hashes: NDArray[np.uint64]) -> int:
    """As ``len(numpy.unique(hashes))``, which takes several times as long."""
    ordered = np.sort(hashes)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(len(ordered), 1)


def _hashes(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A 64-bit hash of each code, good in its high bits: the sum of its words times odd numbers (Fibonacci hashing)."""
    n, size = codes.shape
    total = np.zeros(n, np.uint64)
    factor = 0x9E3779B97F4A7C15
    for begin in range(0, size, 8):
        part = codes[:, begin : begin + 8]
        if part.shape[1] < 8:
            part = np.concatenate([part, np.zeros((n, 8 - part.shape[1]), np.uint8)], axis=1)
        total += np.ascontiguousarray(part).view("<u8").reshape(-1) * np.uint64(factor)
        factor = factor * factor & 0xFFFFFFFFFFFFFFFF | 1
    return total
