"""Components: codes that are connected by steps within a radius."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..segments.snapshot import Snapshot
from ..support.interrupts import interruptible
from ..support.progress import Progress, reporting
from .blocks import blocks
from .distinct import distinct, of_segment
from .forest import Forest
from .pairs import in_search_order
from .searching import Search

SAMPLE = 64  # codes whose neighbours show where many are near each other


def components(snapshot: Snapshot, search: Search, radius: int, progress: Progress = False) -> NDArray[np.int64]:
    """The smallest id in the component of each code, by id.

    Where many codes are near each other most pairs tell nothing new. So a sample is searched for first. What that
    shows to be large is then searched for among the codes outside it only, and the largest not at all: a pair is found
    from both its ends, so one with an end in the largest is found from the other, and one with both tells nothing.
    """
    with reporting(progress, snapshot.n_codes, "components") as tell:
        if not snapshot.n_codes:
            return np.empty(0, np.int64)
        known, firsts, owners = distinct(snapshot)
        (part,) = known.segments
        search.prepare_segment(part, None, radius)
        codes, numbers = interruptible(partial(in_search_order, part), part.codes.nbytes + 8 * part.n_rows)
        n = len(numbers)
        forest = Forest(n)
        sample = slice(None, None, max(1, n // SAMPLE))
        for _ in _connected(forest, _Pass(known, codes[sample], numbers[sample]), search, radius):
            pass
        largest = np.array([np.bincount(forest.roots(numbers)).argmax()])
        n_done = 0
        for one in _passes(known, codes, numbers, forest, largest):
            for end in _connected(forest, one, search, radius, largest):
                tell(snapshot.n_codes * (n_done + end) // n)
            n_done += len(one.numbers)
        return interruptible(lambda: firsts[forest.roots(np.arange(n))[owners]], 8 * len(owners))


class _Pass(NamedTuple):
    """Codes to search for, and where."""

    snapshot: Snapshot
    codes: NDArray[np.uint8]
    numbers: NDArray[np.int64]  # of the codes


def _passes(
    known: Snapshot, codes: NDArray[np.uint8], numbers: NDArray[np.int64], forest: Forest, largest: NDArray[np.int64]
) -> Iterator[_Pass]:
    """Sets worth a pass of their own, each among the codes outside it; then all others, and the largest, among all."""
    roots = forest.roots(numbers)
    large = np.flatnonzero(np.bincount(roots) ** 2 > SAMPLE * len(roots))
    large = large[large != largest]
    for root in large.tolist():
        inside = roots == root
        rest = known.segments[0].without(np.sort(numbers[inside]))
        if rest is not None:
            yield _Pass(of_segment(rest), codes[inside], numbers[inside])
    if len(large):
        others = np.isin(roots, large, invert=True)
        codes, numbers = codes[others], numbers[others]
    yield _Pass(known, codes, numbers)


def _connected(
    forest: Forest, one: _Pass, search: Search, radius: int, largest: NDArray[np.int64] | None = None
) -> Iterator[int]:
    """Join what is near, unless it is in the ``largest`` set by now; yields how many codes are done."""

    def outside(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        if largest is None:
            return np.ones(len(rows), np.bool_)
        apart: NDArray[np.bool_] = forest.roots(one.numbers[rows]) != forest.roots(largest)
        return apart

    for block in blocks(one.snapshot, search, one.codes, radius, outside):
        found = block.hits.ids
        interruptible(partial(forest.join, one.numbers[block.queries], found), 16 * len(found))
        yield block.end
