"""What to keep of near codes: the first of each, without chaining."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..segments.snapshot import Snapshot
from ..support.progress import Progress, reporting
from .blocks import Block, blocks
from .distinct import distinct
from .searching import Search


def kept_ids(snapshot: Snapshot, search: Search, radius: int, progress: Progress = False) -> NDArray[np.int64]:
    """The ids to keep, ascending: those of codes that are within the radius of none kept before.

    Codes are searched for in the order of their ids, until something drops them; a code that is kept drops all that it
    finds. So only codes of one block can meet undecided ones before them, and those are decided one by one.
    """
    with reporting(progress, snapshot.n_codes, "deduplicate") as tell:
        if not snapshot.n_codes:
            return np.empty(0, np.int64)
        known, firsts, _ = distinct(snapshot)
        (part,) = known.segments
        search.prepare_segment(part, None, radius)
        kept, found = np.zeros(part.n_rows, np.bool_), np.zeros(part.n_rows, np.bool_)
        for block in blocks(known, search, part.codes, radius, lambda rows: ~found[rows]):
            _keep(block, kept, found)
            tell(snapshot.n_codes * block.end // part.n_rows)
        return firsts[kept]


def _keep(block: Block, kept: NDArray[np.bool_], found: NDArray[np.bool_]) -> None:
    """Decide about the codes of a block, of which none was found from one before it."""
    hits, queries = block.hits.ids, block.queries
    contested = (hits >= block.rows[0]) & (hits < block.end) & (hits != queries) & ~found[hits]
    alone = np.ones(block.end - block.rows[0], np.bool_)
    alone[queries[contested] - block.rows[0]] = False
    one_by_one = np.flatnonzero(~alone[block.rows - block.rows[0]])
    kept[block.rows] = True
    found[hits[alone[queries - block.rows[0]]]] = True
    starts = block.hits.offsets.tolist()
    for i, row in zip(one_by_one.tolist(), block.rows[one_by_one].tolist(), strict=True):
        if found[row]:
            kept[row] = False
        else:
            found[hits[starts[i] : starts[i + 1]]] = True
