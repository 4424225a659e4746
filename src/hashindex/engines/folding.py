"""Searches by folds that are made of scans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..support.interrupts import interruptible
from .engine import ScanSearches
from .folds import SHARE_SCANNED, fold
from .hits import QUERY_SHIFT, ROW_BITS, HitBudget, Hits, nearest_rows, radius_rows
from .query import NearestQuery, RadiusQuery
from .results import NearestRows, RadiusRows, Work
from .rows import Codes, Rows

QUERIES, CODES = 64, 2**18  # compared at once, at most
FIRST_CODES, LEAST_CODES = 2**15, 2**10  # multiples of 8
PLACES = 2**19  # that are meant to be found at once, and sorted before anybody looks at Ctrl-C
SIFTED = 2**16  # codes looked at by one call of NumPy
SHARES = (SHARE_SCANNED, 8)  # of the codes one in so many tells how far to look in the others

Distances = Callable[[Codes, Codes, NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]
"""Of codes (n_codes, code_size), queries, rows (n,) and numbers of queries (n,): how far each is of the other (n,)."""


class FoldsByScan:
    """See :class:`hashindex.engines.engine.FoldsSearches`."""

    def __init__(self, scan: ScanSearches, distances: Distances) -> None:
        self._scan, self._distances = scan, distances

    def build(self, codes: Codes, fold_size: int, n_threads: int) -> Codes:  # noqa: ARG002
        """See :class:`hashindex.engines.engine.FoldsSearches`."""
        return interruptible(partial(fold, codes, fold_size), 3 * codes.nbytes)

    def step(self, folds: Codes, code_size: int) -> None:
        """None: no whole searches here."""

    def radius(self, rows: Rows, folds: Codes, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.FoldsSearches`."""
        budget, n_sifted = HitBudget(query.most_hits, len(query.codes)), 0
        counts, found = [np.empty(0, np.intp)], [np.empty(0, np.int64)]
        for block, hits, n in self._within(rows, folds, query, 0, len(rows.codes), budget):
            found.append(hits)
            counts.append(np.bincount(hits >> QUERY_SHIFT, minlength=block.stop - block.start))
            n_sifted += n
        return radius_rows(np.concatenate(counts), np.concatenate(found), Work(0, n_sifted))

    def nearest(self, rows: Rows, folds: Codes, query: NearestQuery) -> NearestRows:
        """See :class:`hashindex.engines.engine.FoldsSearches`."""
        n, k, radii = len(rows.codes), query.k, query.radii.copy()
        first, *edges = (min(-(-max(n // share, k) // 8) * 8, n) for share in SHARES)
        near = self._scan.nearest(_part(rows, 0, first), query)
        hits: Hits = near.distances.astype(np.int64) << ROW_BITS | near.rows & (2**ROW_BITS - 1)
        n_looked = near.work.candidates
        for begin, end in zip([first, *edges], [*edges, n], strict=True):
            np.minimum(radii, (hits[:, -1] >> ROW_BITS).astype(np.int32), out=radii)  # a missing one is far away
            within = RadiusQuery(query.codes, radii, query.n_threads)
            for block, more, n_sifted in self._within(rows, folds, within, begin, end, HitBudget(0, len(radii))):
                ends = np.cumsum(np.bincount(more >> QUERY_SHIFT, minlength=block.stop - block.start))
                for q, of_one in zip(range(block.start, block.stop), np.split(more, ends[:-1]), strict=True):
                    own = of_one & (2**QUERY_SHIFT - 1)
                    hits[q] = np.sort(np.concatenate([hits[q], own]))[:k]
                n_looked += n_sifted
        return nearest_rows(hits, Work(0, n_looked))

    def _within(
        self, rows: Rows, folds: Codes, query: RadiusQuery, begin: int, end: int, budget: HitBudget
    ) -> Iterator[tuple[slice, Hits, int]]:
        """Blocks of queries, their sorted hits among the rows, numbered from the block's first, and codes looked at."""
        folded, size = fold(query.codes, folds.shape[1]), FIRST_CODES
        for at in range(0, len(folded), QUERIES):
            block = slice(at, min(at + QUERIES, len(folded)))
            radii = np.minimum(query.radii[block], 8 * folded.shape[1]).astype(np.int32)  # no fold is farther
            near = RadiusQuery(folded[block], radii, query.n_threads)
            found, n_sifted, low = [np.empty(0, np.int64)], 0, begin
            while low < end:
                high = min(low + size, end)
                offsets, _, places, _ = self._scan.radius(_part(Rows(folds, rows.removed), low, high), near)
                of = np.repeat(np.arange(block.stop - at), np.diff(offsets))
                hits = self._sifted(rows.codes, query.codes[block], query.radii[block], places + low, of)
                found += map(budget.take, hits)
                n_sifted += len(places)
                wanted = (high - low) * PLACES // max(len(places), 1) // 8 * 8  # folds may be near where codes are not
                low, size = high, max(LEAST_CODES, min(wanted, 2 * size, CODES))
            yield block, np.sort(np.concatenate(found)), n_sifted

    def _sifted(
        self, codes: Codes, queries: Codes, radii: NDArray[np.int32], rows: NDArray[np.int64], of: NDArray[np.int64]
    ) -> Iterator[Hits]:
        """The hits among candidate ``rows`` (n,), each of the query ``of`` (n,), in pieces."""
        for begin in range(0, len(rows), SIFTED):
            row, query = rows[begin : begin + SIFTED], of[begin : begin + SIFTED]
            distances = self._distances(codes, queries, row, query)
            near = distances <= radii[query]
            yield query[near] << QUERY_SHIFT | distances[near] << ROW_BITS | row[near]


def _part(rows: Rows, begin: int, end: int) -> Rows:
    """Rows ``begin`` (a multiple of 8) to ``end``."""
    return Rows(rows.codes[begin:end], rows.removed[begin // 8 :])
