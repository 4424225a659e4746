"""Multi-index hashing of the Numba engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hits import HitBudget, Hits, finished, nearest_rows
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows, Work
from ..rows import Codes, Rows
from ..tables import Layout, Shells, Tables, n_copied
from . import multi_index_kernels as kernels
from .calls import blocks_of, frozen, frozen_all, in_threads, joined, paced, summed
from .scan import NumbaScan

PROBE_QUERIES = 1024


class NumbaMultiIndex:
    """See :class:`hashindex.engines.engine.MultiIndexSearches`."""

    def __init__(self, scan: NumbaScan) -> None:
        self._scan = scan

    def step(self, tables: Tables, thresholds: NDArray[np.int32], shells: Shells) -> None:
        """None: no whole searches here."""

    def build(self, codes: Codes, layout: Layout, n_threads: int) -> Tables:
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        codes, masks = frozen(codes), frozen(layout.masks)
        edges = np.cumsum([0] + [2**width + 1 for width in layout.widths.tolist()])
        offsets, rows = np.empty(edges[-1], np.uint32), np.empty((len(masks), len(codes)), np.uint32)
        copies = np.empty((n_copied(codes, len(masks)), len(codes)), np.uint64)

        def build(t: int) -> None:
            own = offsets[edges[t] : edges[t + 1]]
            kernels.build_table(codes, masks, t, own, rows[t], copies[t : t + 1].reshape(-1))

        in_threads(build, list(range(len(masks))), n_threads)
        return Tables(*layout, offsets, rows, copies)

    def radius(self, rows: Rows, tables: Tables, query: RadiusQuery, thresholds: NDArray[np.int32]) -> RadiusRows:
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        codes, radii, allowed = frozen(query.codes), frozen(query.radii), frozen(thresholds)
        rows, tables, budget = frozen_all(rows), frozen_all(tables), HitBudget(query.most_hits, len(query.codes))
        blocks = blocks_of(len(codes), budget.block(PROBE_QUERIES), query.n_threads)

        def search(block: slice) -> tuple[Hits, Work]:
            hits, lookups, candidates = kernels.probe_radius(rows, tables, codes[block], radii[block], allowed)
            return np.sort(budget.take(hits)), Work(lookups, candidates)

        blocks, found = paced(search, blocks, query.n_threads)
        return joined([hits for hits, _ in found], blocks, summed([work for _, work in found]))

    def nearest(self, rows: Rows, tables: Tables, query: NearestQuery, shells: Shells) -> NearestRows:
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        codes, radii, k = frozen(query.codes), frozen(query.radii), query.k
        rows, tables, steps = frozen_all(rows), frozen_all(tables), frozen(shells.steps)
        spent, scan_cost = frozen(np.append(0.0, np.cumsum(shells.costs))), float(shells.scan_cost)
        blocks = blocks_of(len(codes), PROBE_QUERIES, query.n_threads)

        def search(block: slice) -> tuple[Hits, NDArray[np.bool_], Work]:
            hits, done, lookups, candidates = kernels.probe_nearest(
                rows, tables, codes[block], k, radii[block], steps, spent, scan_cost
            )
            return np.sort(hits), done, Work(lookups, candidates)

        _, found = paced(search, blocks, query.n_threads)
        hits = np.concatenate([np.empty((0, k), np.int64), *(hits for hits, _, _ in found)])
        done = np.concatenate([np.empty(0, np.bool_), *(done for _, done, _ in found)])
        near = nearest_rows(hits, summed([work for *_, work in found]))
        return finished(near, done, query, lambda rest: self._scan.nearest(rows, rest))
