"""Equal codes stored once, with the rows that hold them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLE_BITS = 14  # the estimate looks at one of every n_codes / 2**14 values
CHUNK = 2**18  # codes hashed at once


class Postings(NamedTuple):
    """Rows ``rows[starts[u] : starts[u + 1]]``, ascending, hold distinct code u.

    Distinct codes stand in the order of their first row. Therefore the k nearest rows always belong to the k nearest
    distinct codes, both ordered by (distance, row): codes before a row's own each have a row before it.
    """

    starts: NDArray[np.int64]  # (n_distinct + 1,)
    rows: NDArray[np.uint32]  # (n_rows,)

    @property
    def owners(self) -> NDArray[np.int64]:
        """The distinct code of each row, (n_rows,)."""
        owners = np.empty(len(self.rows), np.int64)
        owners[self.rows] = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return owners


def estimate_distinct(codes: NDArray[np.uint8]) -> int:
    """About how many distinct codes there are, within some percent.

    Counts the distinct ones among those whose hash ends in zeros: a sample of the values, not of the rows, so that
    the estimate is right however often each value occurs.
    """
    n = len(codes)
    shift = max(0, n.bit_length() - SAMPLE_BITS)
    if shift == 0:
        return len(np.unique(_hashes(codes)))
    sampled = []
    for begin in range(0, n, CHUNK):
        hashes = _hashes(codes[begin : begin + CHUNK])
        sampled.append(hashes[hashes >> np.uint64(64 - shift) == 0])
    return min(n, max(1, len(np.unique(np.concatenate(sampled))) << shift))


def collapse(codes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Postings]:
    """Return the distinct codes in the order of their first row, and who holds them."""
    _, firsts, owners = np.unique(_hashes(codes), return_index=True, return_inverse=True)
    if not (codes[firsts[owners]] == codes).all():  # two codes share a hash
        _, firsts, owners = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    owners = rank[owners.reshape(-1)]
    starts = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(order)))])
    return codes[firsts[order]], Postings(starts, np.argsort(owners, kind="stable").astype(np.uint32))


def expand_radius(
    offsets: NDArray[np.int64], distances: NDArray[np.int32], found: NDArray[np.int64], postings: Postings
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Turn distinct codes ``found`` within a radius into rows, each query's ordered by (distance, row)."""
    counts = postings.starts[found + 1] - postings.starts[found]
    rows, distances = _rows(found, counts, postings), np.repeat(distances, counts)
    ends = np.concatenate([[0], np.cumsum(counts)])
    offsets = ends[offsets]
    if len(rows):
        queries = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        new = np.concatenate([[True], (distances[1:] != distances[:-1]) | (queries[1:] != queries[:-1])])
        groups = np.cumsum(new)  # of equal query and distance
        rows = np.sort(groups << 32 | rows) & 0xFFFFFFFF
    return offsets, distances, rows


def expand_nearest(
    distances: NDArray[np.int32], found: NDArray[np.int64], k: int, postings: Postings
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Turn the nearest distinct codes (n_queries, k') into the ``k`` nearest rows, missing ones as in the input."""
    missing_distance = np.iinfo(np.int32).max
    rows = np.full((len(found), k), -1, np.int64)
    near = np.full((len(found), k), missing_distance, np.int32)
    for q in range(len(found)):
        codes = found[q][found[q] >= 0]
        counts = np.minimum(postings.starts[codes + 1] - postings.starts[codes], k)
        # Codes at a distance before which k rows have been counted cannot matter.
        nearer = np.searchsorted(distances[q], distances[q, : len(codes)])
        counts[np.concatenate([[0], np.cumsum(counts)])[nearer] >= k] = 0
        held = np.repeat(distances[q, : len(codes)].astype(np.int64), counts) << 32 | _rows(codes, counts, postings)
        held = np.sort(held)[:k]
        rows[q, : len(held)], near[q, : len(held)] = held & 0xFFFFFFFF, held >> 32
    return near, rows


def _rows(codes: NDArray[np.int64], counts: NDArray[np.int64], postings: Postings) -> NDArray[np.int64]:
    """The first ``counts`` rows of each of ``codes``, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    places = np.repeat(postings.starts[codes] - (ends - counts), counts) + np.arange(total)
    rows: NDArray[np.int64] = postings.rows[places].astype(np.int64)
    return rows


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
