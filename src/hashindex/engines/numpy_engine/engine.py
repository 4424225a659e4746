"""The plain NumPy engine: no compiler, no dependency, and slow. What the others do, in few lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..engine import Codes, NearestRows, RadiusRows, Relevance, Rows, Shells, Work
from ..hits import MISSING, ROW_BITS, WORTH_TRYING, HitBudget, Hits, nearest_rows, radius_rows
from ..tables import Layout, Tables, n_copied, select_bits

BLOCK_BYTES = 2**22  # of working memory, about, per array


class NumpyEngine:
    """Searches written with NumPy alone, in one thread."""

    name = "numpy"
    description = "numpy"

    def scan_radius(
        self,
        rows: Rows,
        queries: Codes,
        radius: int,
        n_threads: int,  # noqa: ARG002
        most_hits: int = 0,
    ) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        budget = HitBudget(most_hits, len(queries))
        step, found = budget.block(max(len(queries), 1)), []
        for begin in range(0, len(queries), step):
            block = queries[begin : begin + step]
            found += [budget.take(hits) for hits in _scan(rows, block, [radius] * len(block))]
        return _join(found, Work(0, len(rows.codes) * len(queries)))

    def scan_nearest(
        self,
        rows: Rows,
        queries: Codes,
        k: int,
        radii: NDArray[np.int32],
        n_threads: int,  # noqa: ARG002
    ) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        found = _scan(rows, queries, radii.tolist(), k)
        return _stack(found, k, [True] * len(queries), Work(0, len(rows.codes) * len(queries)))

    def count_distances(
        self,
        codes: Codes,
        queries: Codes,
        relevance: Relevance,
        n_threads: int,  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """See :class:`hashindex.engines.engine.Engine`."""
        n_distances = 8 * codes.shape[1] + 1
        counts, query_words = np.zeros((2, len(queries), n_distances), np.int64), _words(queries)
        for begin, end in _blocks(*codes.shape):
            words, labels = _words(codes[begin:end]), relevance.codes[:, begin:end]
            for q, wanted in enumerate(relevance.queries):
                distances = np.bitwise_count(words ^ query_words[:, q, None]).sum(axis=0, dtype=np.int64)
                if relevance.shared:
                    relevant = (labels & wanted[:, None]).any(axis=0)
                else:
                    relevant = (labels == wanted[:, None]).all(axis=0)
                counts[0, q] += np.bincount(distances, minlength=n_distances)
                counts[1, q] += np.bincount(distances[relevant], minlength=n_distances)
        return counts

    def build_tables(
        self,
        codes: Codes,
        layout: Layout,
        n_threads: int,  # noqa: ARG002
    ) -> Tables:
        """See :class:`hashindex.engines.engine.Engine`."""
        offsets: list[NDArray[np.int64]] = []
        rows = np.empty((len(layout.masks), len(codes)), np.uint32)
        for t, (mask, width) in enumerate(zip(layout.masks, layout.widths.tolist(), strict=True)):
            blocks = [select_bits(codes[begin:end], mask) for begin, end in _blocks(*codes.shape)]
            keys = np.concatenate([np.empty(0, np.int64), *blocks])
            rows[t] = np.argsort(keys, kind="stable")
            offsets += [np.zeros(1, np.int64), np.cumsum(np.bincount(keys, minlength=2**width))]
        copies = _words(codes)[0][rows[: n_copied(codes, len(rows))]]
        return Tables(*layout, np.concatenate(offsets).astype(np.uint32), rows, copies)

    def probe_radius(
        self,
        rows: Rows,
        tables: Tables,
        queries: Codes,
        radius: int,
        thresholds: NDArray[np.int32],
        n_threads: int,  # noqa: ARG002
        most_hits: int = 0,
    ) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        prober = _Prober(rows, tables, queries)
        shells = [(t, flips) for t, allowed in enumerate(thresholds.tolist()) for flips in range(allowed + 1)]
        none, budget = np.empty(0, np.int64), HitBudget(most_hits, len(queries))
        found = [
            budget.take(np.unique(np.concatenate([none, *(prober.shell(q, t, flips, radius) for t, flips in shells)])))
            for q in range(len(queries))
        ]
        return _join(found, prober.work)

    def probe_nearest(
        self,
        rows: Rows,
        tables: Tables,
        queries: Codes,
        k: int,
        radii: NDArray[np.int32],
        shells: Shells,
        n_threads: int,  # noqa: ARG002
    ) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        prober = _Prober(rows, tables, queries)
        found = [prober.nearest(q, k, radius, shells) for q, radius in enumerate(radii.tolist())]
        return _stack([hits for hits, _ in found], k, [done for _, done in found], prober.work)


class _Prober:
    """Looks into the buckets of one set of tables."""

    def __init__(self, among: Rows, tables: Tables, queries: Codes) -> None:
        self.among, self.tables = among, tables
        self.widths: list[int] = tables.widths.tolist()
        self.firsts = tables.first_offsets
        self.keys = [select_bits(queries, mask) for mask in tables.masks]
        self.query_words = _words(queries)
        self.masks: dict[tuple[int, int], NDArray[np.int64]] = {}  # by width and flips
        self.work = Work(0, 0)

    def shell(self, q: int, t: int, flips: int, radius: int) -> Hits:
        """Hits within the radius in the buckets of table t whose key differs in ``flips`` bits from the query's."""
        width = self.widths[t]
        if (width, flips) not in self.masks:
            self.masks[width, flips] = np.flatnonzero(np.bitwise_count(np.arange(2**width)) == flips)
        buckets = self.firsts[t] + (self.keys[t][q] ^ self.masks[width, flips])
        begins = self.tables.offsets[buckets].astype(np.int64)
        sizes = self.tables.offsets[buckets + 1] - begins
        places = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        self.work = Work(self.work.lookups + len(buckets), self.work.candidates + len(places))
        rows = self.tables.rows[t, places].astype(np.int64)
        codes = self.among.codes
        hits = [
            _hits(_words(codes[block]), block, self.query_words[:, q], radius, self.among.removed)
            for block in (rows[begin:end] for begin, end in _blocks(len(rows), codes.shape[1]))
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


def _scan(rows: Rows, queries: Codes, radii: list[int], k: int | None = None) -> list[Hits]:
    """For each query q the sorted hits within ``radii[q]``, the first ``k`` of them."""
    found = [np.empty(0, np.int64)] * len(queries)
    query_words = _words(queries)
    for begin, end in _blocks(*rows.codes.shape):
        words, block = _words(rows.codes[begin:end]), np.arange(begin, end)
        for q, radius in enumerate(radii):
            hits = np.concatenate([found[q], _hits(words, block, query_words[:, q], radius, rows.removed)])
            found[q] = np.partition(hits, k)[:k] if k is not None and len(hits) > k else hits
    return [np.sort(hits) for hits in found]


def _hits(
    words: NDArray[np.uint64],
    rows: NDArray[np.int64],
    query_words: NDArray[np.uint64],
    radius: int,
    removed: NDArray[np.uint8],
) -> Hits:
    """Those of ``rows`` (n,), with ``words`` (n_words, n), that lie within ``radius`` of the query (n_words,)."""
    distances = np.bitwise_count(words ^ query_words[:, None]).sum(axis=0, dtype=np.int64)
    near = np.flatnonzero(distances <= radius)
    if len(removed):
        near = near[removed[rows[near] >> 3] >> (rows[near] & 7).astype(np.uint8) & 1 == 0]
    hits: Hits = distances[near] << ROW_BITS | rows[near]
    return hits


def _blocks(n: int, code_size: int) -> list[tuple[int, int]]:
    """Consecutive (begin, end) of n codes, in blocks of about ``BLOCK_BYTES``."""
    step = max(1, BLOCK_BYTES // code_size)
    return [(begin, min(n, begin + step)) for begin in range(0, n, step)]


def _words(codes: Codes) -> NDArray[np.uint64]:
    """Codes (n, code_size) as little-endian words (n_words, n), the last one padded with zeros."""
    n, code_size = codes.shape
    padded = np.zeros((n, -(-code_size // 8) * 8), np.uint8)
    padded[:, :code_size] = codes
    return np.ascontiguousarray(padded.view("<u8").T).astype(np.uint64, copy=False)


def _join(hits: list[Hits], work: Work) -> RadiusRows:
    counts = np.array([len(found) for found in hits], np.intp)
    return radius_rows(counts, np.concatenate([np.empty(0, np.int64), *hits]), work)


def _stack(hits: list[Hits], k: int, done: list[bool], work: Work) -> NearestRows:
    best = np.full((len(hits), k), MISSING)
    for q, found in enumerate(hits):
        best[q, : len(found)] = found
    return nearest_rows(best, np.array(done, np.bool_), work)
