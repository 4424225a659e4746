"""All pairs within a radius: of one index, or of an index and other codes, in bounded blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .searching import Search
from .segment import Segment
from .snapshot import Snapshot

BLOCK_PAIRS = 2**20  # about as many pairs are found at once
MOST_QUERIES = 2**16  # codes searched for at once


class Pairs(NamedTuple):
    """Some of the pairs; each pair of the whole stands in one block once."""

    ids_a: NDArray[np.int64]  # (n_pairs,)
    ids_b: NDArray[np.int64]  # (n_pairs,)
    distances: NDArray[np.int32]  # (n_pairs,)


def self_join(snapshot: Snapshot, search: Search, radius: int) -> Iterator[Pairs]:
    """Every pair of codes of the snapshot within ``radius``, with ids_a < ids_b."""
    parts = [*snapshot.segments, *([snapshot.tail] if snapshot.n_tail else [])]
    for part in parts:
        search.prepare(part, part.n_codes, radius)
        codes, ids, crowd = _in_bucket_order(part)
        for block in _blocks(snapshot, search, codes, radius, crowd):
            (first, last), queries, found, distances = block
            own = ids[first:last][queries]
            once = found > own
            if once.any():
                yield Pairs(own[once], found[once], distances[once])


def join(snapshot: Snapshot, search: Search, codes: NDArray[np.uint8], radius: int) -> Iterator[Pairs]:
    """Every pair of a code of the snapshot (ids_a) and a row of ``codes`` (ids_b) within ``radius``."""
    for (first, _), queries, found, distances in _blocks(snapshot, search, codes, radius, None):
        if len(found):
            yield Pairs(found, queries + first, distances)


def _blocks(
    snapshot: Snapshot, search: Search, codes: NDArray[np.uint8], radius: int, crowd: NDArray[np.int64] | None
) -> Iterator[tuple[tuple[int, int], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]]:
    """Search for ``codes``, so many at a time that about ``BLOCK_PAIRS`` are found.

    The number follows from what the last block found, and grows slowly; ``crowd`` (n,), where it is known, says how
    many codes share a bucket with each and keeps a dense region from coming all at once.
    """
    first, size = 0, 16
    while first < len(codes):
        last = min(first + size, len(codes))
        if crowd is not None:
            crowded = np.cumsum(crowd[first:last])
            last = first + max(1, int(np.searchsorted(crowded, 16 * BLOCK_PAIRS)))
            last = min(last, len(codes))
        hits, _ = search.within(snapshot, np.ascontiguousarray(codes[first:last]), radius)
        queries = np.repeat(np.arange(last - first), np.diff(hits.offsets))
        yield (first, last), queries, hits.ids, hits.distances
        per_query = max(len(hits.ids) / (last - first), 1.0)
        size = int(max(1, min(4 * (last - first), MOST_QUERIES, BLOCK_PAIRS / per_query)))
        first = last


def _in_bucket_order(part: Segment) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64] | None]:
    """Codes and ids of a part; where there are tables, neighbours in a bucket follow each other.

    Searched in that order, they find in the cache what the one before has read.
    """
    tables = part.cache.tables
    codes, ids = part.live()
    if tables is None or part.postings is not None or part.n_removed:
        return codes, ids, None
    order = tables.rows[0]
    ends = tables.offsets[: 2 ** int(tables.widths[0]) + 1].astype(np.int64)
    sizes: NDArray[np.int64] = ends[1:] - ends[:-1]
    return codes[order], ids[order], np.repeat(sizes, sizes)
