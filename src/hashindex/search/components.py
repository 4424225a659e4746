"""Components: codes that are connected by steps within a radius."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..segments.snapshot import Snapshot
from ..support.interrupts import interruptible
from ..support.progress import Progress, reporting
from .blocks import blocks
from .distinct import distinct
from .forest import Forest
from .pairs import in_search_order
from .searching import Search

SAMPLE = 64  # codes by which the largest component is guessed


def components(snapshot: Snapshot, search: Search, radius: int, progress: Progress = False) -> NDArray[np.int64]:
    """The smallest id in the component of each code, by id.

    A pair is found from both its ends. Therefore codes that are in one component by now need not be searched for, if
    all others are: each pair has an end outside, or both inside. This spares the many pairs of a component that a
    sample of the codes shows to be large.
    """
    with reporting(progress, snapshot.n_codes, "components") as tell:
        if not snapshot.n_codes:
            return np.empty(0, np.int64)
        known, firsts, owners = distinct(snapshot)
        (part,) = known.segments
        search.prepare_segment(part, None, radius)
        codes, numbers = interruptible(partial(in_search_order, part), part.n_rows)
        forest = Forest(len(numbers))
        sample = np.arange(0, len(numbers), max(1, len(numbers) // SAMPLE))
        for block in blocks(known, search, codes[sample], radius):
            interruptible(partial(forest.join, numbers[sample[block.queries]], block.hits.ids), len(block.hits.ids))
        inside = np.array([np.bincount(forest.roots(numbers)).argmax()])

        def outside(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
            apart: NDArray[np.bool_] = forest.roots(numbers[rows]) != forest.roots(inside)
            return apart

        for block in blocks(known, search, codes, radius, outside):
            interruptible(partial(forest.join, numbers[block.queries], block.hits.ids), len(block.hits.ids))
            tell(snapshot.n_codes * block.end // len(codes))
        return interruptible(lambda: firsts[forest.roots(np.arange(len(codes)))[owners]], len(owners))
