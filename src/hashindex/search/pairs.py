"""All pairs within a radius: of one index, or of an index and other codes, in bounded blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..structures import STRUCTURES
from ..support.interrupts import interruptible
from ..support.progress import Progress, reporting
from .blocks import blocks
from .searching import Search


class Pairs(NamedTuple):
    """Some of the pairs; each pair of the whole stands in one block once."""

    ids_a: NDArray[np.int64]  # (n_pairs,)
    ids_b: NDArray[np.int64]  # (n_pairs,)
    distances: NDArray[np.int32]  # (n_pairs,)


def self_join(snapshot: Snapshot, search: Search, radius: int, progress: Progress = False) -> Iterator[Pairs]:
    """Every pair of codes of the snapshot within ``radius``, with ids_a < ids_b."""
    snapshot, n_done = snapshot.settled(), 0
    with reporting(progress, snapshot.n_codes, "pairs") as tell:
        for part in snapshot.segments:
            search.prepare_segment(part, None, radius)
            codes, ids = interruptible(partial(in_search_order, part), part.codes.nbytes + 8 * part.n_rows)
            for block in blocks(snapshot, search, codes, radius):
                tell(n_done + block.end)
                own, found = ids[block.queries], block.hits.ids
                once = found > own
                if once.any():
                    yield Pairs(own[once], found[once], block.hits.distances[once])
            n_done += len(ids)


def join(snapshot: Snapshot, search: Search, codes: NDArray[np.uint8], radius: int) -> Iterator[Pairs]:
    """Every pair of a code of the snapshot (ids_a) and a row of ``codes`` (ids_b) within ``radius``."""
    for block in blocks(snapshot, search, codes, radius):
        if len(block.hits.ids):
            yield Pairs(block.hits.ids, block.queries, block.hits.distances)


def in_search_order(part: Segment) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
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
