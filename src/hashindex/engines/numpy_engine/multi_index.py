"""Multi-index hashing of the NumPy engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hits import ROW_BITS, WORTH_TRYING, HitBudget, Hits, finished
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows, Work
from ..rows import Codes, Rows, spans
from ..tables import Layout, Shells, Tables, n_copied, select_bits
from .common import blocks_of, hits_within, joined, stacked, words_of
from .scan import NumpyScan


class NumpyMultiIndex:
    """See :class:`hashindex.engines.engine.MultiIndexSearches`."""

    def __init__(self, scan: NumpyScan) -> None:
        self._scan = scan

    def step(self, tables: Tables, thresholds: NDArray[np.int32], shells: Shells) -> None:
        """None: no whole searches here."""

    def build(self, codes: Codes, layout: Layout, n_threads: int) -> Tables:  # noqa: ARG002
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        offsets: list[NDArray[np.int64]] = []
        rows = np.empty((len(layout.masks), len(codes)), np.uint32)
        for t, (mask, width) in enumerate(zip(layout.masks, layout.widths.tolist(), strict=True)):
            blocks = [select_bits(codes[begin:end], mask) for begin, end in blocks_of(*codes.shape)]
            keys = np.concatenate([np.empty(0, np.int64), *blocks])
            rows[t] = np.argsort(keys, kind="stable")
            offsets += [np.zeros(1, np.int64), np.cumsum(np.bincount(keys, minlength=2**width))]
        n = n_copied(codes, len(rows))
        copies = words_of(codes)[0][rows[:n]] if n else np.empty((0, len(codes)), np.uint64)
        return Tables(*layout, np.concatenate(offsets).astype(np.uint32), rows, copies)

    def radius(self, rows: Rows, tables: Tables, query: RadiusQuery, thresholds: NDArray[np.int32]) -> RadiusRows:
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        prober = Prober(rows, tables, query.codes)
        shells = [(t, flips) for t, allowed in enumerate(thresholds.tolist()) for flips in range(allowed + 1)]
        none, budget = np.empty(0, np.int64), HitBudget(query.most_hits, len(query.codes))
        found = [
            budget.take(np.unique(np.concatenate([none, *(prober.shell(q, t, flips, radius) for t, flips in shells)])))
            for q, radius in enumerate(query.radii.tolist())
        ]
        return joined(found, prober.work)

    def nearest(self, rows: Rows, tables: Tables, query: NearestQuery, shells: Shells) -> NearestRows:
        """See :class:`hashindex.engines.engine.MultiIndexSearches`."""
        prober = Prober(rows, tables, query.codes)
        found = [prober.nearest(q, query.k, radius, shells) for q, radius in enumerate(query.radii.tolist())]
        near = stacked([hits for hits, _ in found], query.k, prober.work)
        done = np.array([done for _, done in found], np.bool_)
        return finished(near, done, query, lambda rest: self._scan.nearest(rows, rest))


class Prober:
    """Looks into the buckets of one set of tables."""

    def __init__(self, among: Rows, tables: Tables, queries: Codes) -> None:
        self.among, self.tables = among, tables
        self.widths: list[int] = tables.widths.tolist()
        self.firsts = tables.first_offsets
        self.keys = [select_bits(queries, mask) for mask in tables.masks]
        self.query_words = words_of(queries)
        self.masks: dict[tuple[int, int], NDArray[np.int64]] = {}  # by width and flips
        self.work = Work(0, 0)

    def shell(self, q: int, t: int, flips: int, radius: int) -> Hits:
        """Hits within the radius in the buckets of table t whose key differs in ``flips`` bits from the query's."""
        width = self.widths[t]
        if (width, flips) not in self.masks:
            self.masks[width, flips] = np.flatnonzero(np.bitwise_count(np.arange(2**width)) == flips)
        buckets = self.firsts[t] + (self.keys[t][q] ^ self.masks[width, flips])
        codes = self.among.codes
        # Kept within the rows, and rows within the codes: a map of a damaged file may hold anything.
        begins = np.minimum(self.tables.offsets[buckets], len(codes)).astype(np.int64)
        sizes = np.clip(self.tables.offsets[buckets + 1], begins, len(codes)) - begins
        places = spans(begins, sizes)
        self.work = Work(self.work.lookups + len(buckets), self.work.candidates + len(places))
        rows = np.minimum(self.tables.rows[t, places], len(codes) - 1).astype(np.int64)
        hits = [
            hits_within(words_of(codes[block]), block, self.query_words[:, q], radius, self.among.removed)
            for block in (rows[begin:end] for begin, end in blocks_of(len(rows), codes.shape[1]))
        ]
        return np.concatenate([np.empty(0, np.int64), *hits])

    def nearest(self, q: int, k: int, radius: int, shells: Shells) -> tuple[Hits, bool]:
        """Sorted, at most k hits, and whether they are certain: after step s all within distance s have been seen."""
        found = np.empty(0, np.int64)
        spent = [0.0, *np.cumsum(shells.costs).tolist()]
        for s, (t, flips) in enumerate(shells.steps.tolist()):
            found = np.union1d(found, self.shell(q, t, flips, radius))[:k]
            if 0 < k == len(found):
                radius = int(found[-1]) >> ROW_BITS
            if radius <= s or flips == self.widths[t]:
                return found, True
            certain = radius + 1 < len(spent) and spent[radius + 1] - spent[s + 1] <= shells.scan_cost
            if not certain and s + 1 < len(shells.steps) and spent[s + 2] > WORTH_TRYING * shells.scan_cost:
                break
        return found, False
