"""All pairs within a radius: of one index, or of an index and other codes, in bounded blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines.results import TooManyHits
from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..structures import STRUCTURES
from ..support.interrupts import interruptible
from .searching import Search

BLOCK_PAIRS = 2**20  # about as many pairs are found at once
MOST_PAIRS = 4 * BLOCK_PAIRS  # and no more, but for those of a single code
MOST_QUERIES = 2**16  # codes searched for at once


class Pairs(NamedTuple):
    """Some of the pairs; each pair of the whole stands in one block once."""

    ids_a: NDArray[np.int64]  # (n_pairs,)
    ids_b: NDArray[np.int64]  # (n_pairs,)
    distances: NDArray[np.int32]  # (n_pairs,)


def self_join(snapshot: Snapshot, search: Search, radius: int) -> Iterator[Pairs]:
    """Every pair of codes of the snapshot within ``radius``, with ids_a < ids_b."""
    snapshot = snapshot.settled()
    for part in snapshot.segments:
        search.prepare_segment(part, None, radius)
        codes, ids = interruptible(partial(_in_order, part), part.codes.nbytes + 8 * part.n_rows)
        for first, queries, found, distances in _blocks(snapshot, search, codes, radius):
            own = ids[first + queries]
            once = found > own
            if once.any():
                yield Pairs(own[once], found[once], distances[once])


def join(snapshot: Snapshot, search: Search, codes: NDArray[np.uint8], radius: int) -> Iterator[Pairs]:
    """Every pair of a code of the snapshot (ids_a) and a row of ``codes`` (ids_b) within ``radius``."""
    for first, queries, found, distances in _blocks(snapshot, search, codes, radius):
        if len(found):
            yield Pairs(found, queries + first, distances)


def _blocks(
    snapshot: Snapshot, search: Search, codes: NDArray[np.uint8], radius: int
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]]:
    """Search for ``codes``, as many at a time as find about ``BLOCK_PAIRS``: the last block tells how many those are.

    Yields the first code searched for; then, for each hit, which code after that, the id found, and the distance. A
    block that would find too much is stopped and halved.
    """
    bounded = replace(search, most_hits=MOST_PAIRS)
    first, size = 0, 16
    while first < len(codes):
        block = np.ascontiguousarray(codes[first : first + size])
        try:
            hits, _ = bounded.within(snapshot, block, radius)
        except TooManyHits:
            size = len(block) // 2
            continue
        yield first, np.repeat(np.arange(len(block)), np.diff(hits.offsets)), hits.ids, hits.distances
        per_query = max(len(hits.ids) / len(block), 1.0)
        size = int(max(1, min(4 * len(block), MOST_QUERIES, BLOCK_PAIRS / per_query)))
        first += len(block)


def _in_order(part: Segment) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Codes and ids of a part; where a structure has an order in which neighbours follow each other, in that.

    Searched in that order, they find in the cache what the one before has read.
    """
    codes, ids = part.live()
    if part.postings is None and not part.n_removed:
        for name, state in list(part.learned.states.items()):
            order = STRUCTURES[name].order(part, state)
            if order is not None:
                return codes[order], ids[order]
    return codes, ids
