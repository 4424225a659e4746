"""Searches for many codes within a radius, a bounded number of hits at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines.results import TooManyHits
from ..matches import RadiusMatches
from ..segments.snapshot import Snapshot
from .searching import Search

BLOCK_HITS = 2**20  # about as many are found at once
MOST_HITS = 4 * BLOCK_HITS  # and no more, but for those of a single code
MOST_QUERIES = 2**16  # codes searched for at once
Wanted = Callable[[NDArray[np.int64]], NDArray[np.bool_]]  # which of some rows, (n,)


class Block(NamedTuple):
    """What the search for some of the codes found."""

    rows: NDArray[np.int64]  # (n_queries,) of the codes searched for, ascending
    hits: RadiusMatches  # of each of them
    end: int  # codes before this one are done

    @property
    def queries(self) -> NDArray[np.int64]:
        """The row of the code that found each hit, (n_hits,)."""
        return np.repeat(self.rows, np.diff(self.hits.offsets))


def blocks(
    snapshot: Snapshot,
    search: Search,
    codes: NDArray[np.uint8],
    radius: int,
    wanted: Wanted | None = None,
) -> Iterator[Block]:
    """Search for ``codes``, as many at a time as find about ``BLOCK_HITS``: the last block tells how many those are.

    A block that would find too much is stopped and halved. ``wanted`` is asked before each block which of some rows are
    to be searched for at all; it may have learned from the block before.
    """
    bounded = replace(search, most_hits=MOST_HITS)
    first, size = 0, 16
    while first < len(codes):
        end = min(first + size, len(codes))
        rows = np.arange(first, end)
        if wanted is not None:
            rows = rows[wanted(rows)]
        n_hits = 0
        if len(rows):
            block = np.ascontiguousarray(codes[first:end] if len(rows) == end - first else codes[rows])
            try:
                hits, _ = bounded.within(snapshot, block, radius)
            except TooManyHits:
                size = (end - first) // 2
                continue
            yield Block(rows, hits, end)
            n_hits = len(hits.ids)
        per_code = max(n_hits / (end - first), 1.0)
        size = int(max(1, min(4 * (end - first), MOST_QUERIES, BLOCK_HITS / per_code)))
        first = end
