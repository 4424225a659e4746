"""The linear scan of the Numba engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hits import HitBudget, Hits, nearest_rows
from ..query import NearestQuery, RadiusQuery, Relevance
from ..results import NearestRows, RadiusRows, Work
from ..rows import Codes, Rows
from . import scan_kernels
from .calls import blocks_of, frozen, frozen_all, grouped, in_threads, joined, parts_of

SCAN_QUERIES = 64  # queries per block: each tile of codes is read from memory once for all of them
BLOCK_HITS = 2**22  # hits kept at once for a block of queries in a k-NN search


class NumbaScan:
    """See :class:`hashindex.engines.engine.ScanSearches`."""

    def step(self) -> None:
        """None: no whole searches here."""

    def radius(self, rows: Rows, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.ScanSearches`."""
        codes, radii, n_threads = frozen(query.codes), frozen(query.radii), query.n_threads
        rows, budget = frozen_all(rows), HitBudget(query.most_hits, len(codes))
        blocks = blocks_of(len(codes), budget.block(SCAN_QUERIES), n_threads)
        parts = parts_of(rows, blocks, n_threads)

        def search(cell: tuple[slice, slice]) -> Hits:
            block, part = cell
            found = scan_kernels.scan_radius(rows, codes[block], part.start, part.stop, radii[block])
            return np.sort(budget.take(found))

        found = in_threads(search, [(block, part) for block in blocks for part in parts], n_threads)
        if len(parts) > 1:
            found = [np.sort(np.concatenate(hits)) for hits in grouped(found, len(parts))]
        return joined(found, blocks, Work(0, len(rows.codes) * len(codes)))

    def nearest(self, rows: Rows, query: NearestQuery) -> NearestRows:
        """See :class:`hashindex.engines.engine.ScanSearches`."""
        codes, radii, n_threads, k = frozen(query.codes), frozen(query.radii), query.n_threads, query.k
        rows = frozen_all(rows)
        blocks = blocks_of(len(codes), min(SCAN_QUERIES, BLOCK_HITS // (2 * k + 1)), n_threads)
        parts = parts_of(rows, blocks, n_threads)

        def search(cell: tuple[slice, slice]) -> Hits:
            block, part = cell
            return np.sort(scan_kernels.scan_nearest(rows, codes[block], part.start, part.stop, k, radii[block]))

        found = in_threads(search, [(block, part) for block in blocks for part in parts], n_threads)
        if len(parts) > 1:
            found = [np.sort(np.concatenate(hits, axis=1))[:, :k] for hits in grouped(found, len(parts))]
        hits = np.concatenate([np.empty((0, k), np.int64), *found])
        return nearest_rows(hits, Work(0, len(rows.codes) * len(codes)))


def count_distances(codes: Codes, queries: Codes, relevance: Relevance, n_threads: int) -> NDArray[np.int64]:
    """See :class:`hashindex.engines.engine.Engine`."""
    codes, queries, labels = frozen(codes), frozen(queries), frozen(relevance.codes)
    counts = np.zeros((2, len(queries), 8 * codes.shape[1] + 1), np.int64)
    order = np.lexsort(relevance.queries.T)  # queries with one label share the search for what is relevant

    def count(block: slice) -> None:
        rows = order[block]
        some, wanted = frozen(queries[rows]), frozen(relevance.queries[rows])
        counts[:, rows] = scan_kernels.count_distances(codes, some, labels, wanted, relevance.shared)

    in_threads(count, blocks_of(len(queries), SCAN_QUERIES, n_threads), n_threads)
    return counts
