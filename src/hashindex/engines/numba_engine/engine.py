"""The Numba engine: the native engine's searches without a C++ compiler."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..engine import Codes, NearestRows, RadiusRows, Relevance, Rows, Shells, Work
from ..hits import QUERY_SHIFT, HitBudget, Hits, nearest_rows, radius_rows
from ..tables import Layout, Tables, n_copied
from . import multi_index as numba_probe
from . import scan as numba_scan

S = TypeVar("S")
T = TypeVar("T")
Scalar = TypeVar("Scalar", bound=np.generic)
Arrays = TypeVar("Arrays", Rows, Tables)

SCAN_QUERIES = 64  # queries per block: each tile of codes is read from memory once for all of them
PROBE_QUERIES = 1024
BLOCK_HITS = 2**22  # hits kept at once for a block of queries in a k-NN search
LEAST_PART = 16384  # codes worth a thread of their own


class NumbaEngine:
    """Searches compiled by Numba at their first call, on plain Python threads that live for one call.

    No thread outlives a call, so that ``fork()`` and searches from several threads are safe; Numba's own
    threading layers are not (OpenMP hangs in a forked child, workqueue forbids concurrent calls).
    """

    name = "numba"
    description = "numba"

    def scan_radius(self, rows: Rows, queries: Codes, radius: int, n_threads: int, most_hits: int = 0) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        rows, queries, radius = _frozen_all(rows), _frozen(queries), min(radius, _n_bits(rows))
        budget = HitBudget(most_hits, len(queries))
        blocks = _blocks(len(queries), budget.block(SCAN_QUERIES), n_threads)
        parts = _parts(len(rows.codes), len(blocks), n_threads)

        def search(cell: tuple[slice, slice]) -> Hits:
            block, part = cell
            return np.sort(budget.take(numba_scan.scan_radius(rows, queries[block], part.start, part.stop, radius)))

        found = _map(search, [(block, part) for block in blocks for part in parts], n_threads)
        if len(parts) > 1:
            found = [np.sort(np.concatenate(hits)) for hits in _grouped(found, len(parts))]
        return _join(found, blocks, Work(0, len(rows.codes) * len(queries)))

    def scan_nearest(self, rows: Rows, queries: Codes, k: int, radii: NDArray[np.int32], n_threads: int) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        rows, queries, radii = _frozen_all(rows), _frozen(queries), _frozen(np.minimum(radii, _n_bits(rows)))
        blocks = _blocks(len(queries), min(SCAN_QUERIES, BLOCK_HITS // (2 * k + 1)), n_threads)
        parts = _parts(len(rows.codes), len(blocks), n_threads)

        def search(cell: tuple[slice, slice]) -> Hits:
            block, part = cell
            return np.sort(numba_scan.scan_nearest(rows, queries[block], part.start, part.stop, k, radii[block]))

        found = _map(search, [(block, part) for block in blocks for part in parts], n_threads)
        if len(parts) > 1:
            found = [np.sort(np.concatenate(hits, axis=1))[:, :k] for hits in _grouped(found, len(parts))]
        done = [np.ones(len(queries), np.bool_)]
        return _stack(found, k, done, Work(0, len(rows.codes) * len(queries)))

    def count_distances(self, codes: Codes, queries: Codes, relevance: Relevance, n_threads: int) -> NDArray[np.int64]:
        """See :class:`hashindex.engines.engine.Engine`."""
        codes, queries, labels = _frozen(codes), _frozen(queries), _frozen(relevance.codes)
        counts = np.zeros((2, len(queries), 8 * codes.shape[1] + 1), np.int64)
        order = np.lexsort(relevance.queries.T)  # queries with one label share the search for what is relevant

        def count(block: slice) -> None:
            rows = order[block]
            some, wanted = _frozen(queries[rows]), _frozen(relevance.queries[rows])
            counts[:, rows] = numba_scan.count_distances(codes, some, labels, wanted, relevance.shared)

        _map(count, _blocks(len(queries), SCAN_QUERIES, n_threads), n_threads)
        return counts

    def build_tables(self, codes: Codes, layout: Layout, n_threads: int) -> Tables:
        """See :class:`hashindex.engines.engine.Engine`."""
        codes, masks = _frozen(codes), _frozen(layout.masks)
        edges = np.cumsum([0] + [2**width + 1 for width in layout.widths.tolist()])
        offsets, rows = np.empty(edges[-1], np.uint32), np.empty((len(masks), len(codes)), np.uint32)
        copies = np.empty((n_copied(codes, len(masks)), len(codes)), np.uint64)

        def build(t: int) -> None:
            own = offsets[edges[t] : edges[t + 1]]
            numba_probe.build_table(codes, masks, t, own, rows[t], copies[t : t + 1].reshape(-1))

        _map(build, list(range(len(masks))), n_threads)
        return Tables(*layout, offsets, rows, copies)

    def probe_radius(
        self,
        rows: Rows,
        tables: Tables,
        queries: Codes,
        radius: int,
        thresholds: NDArray[np.int32],
        n_threads: int,
        most_hits: int = 0,
    ) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        rows, queries, radius = _frozen_all(rows), _frozen(queries), min(radius, _n_bits(rows))
        tables, thresholds = _frozen_all(tables), _frozen(thresholds)
        budget = HitBudget(most_hits, len(queries))
        blocks = _blocks(len(queries), budget.block(PROBE_QUERIES), n_threads)

        def search(block: slice) -> tuple[Hits, Work]:
            hits, lookups, candidates = numba_probe.probe_radius(rows, tables, queries[block], radius, thresholds)
            return np.sort(budget.take(hits)), Work(lookups, candidates)

        found = _map(search, blocks, n_threads)
        return _join([hits for hits, _ in found], blocks, _sum([work for _, work in found]))

    def probe_nearest(
        self,
        rows: Rows,
        tables: Tables,
        queries: Codes,
        k: int,
        radii: NDArray[np.int32],
        shells: Shells,
        n_threads: int,
    ) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        rows, queries, radii = _frozen_all(rows), _frozen(queries), _frozen(np.minimum(radii, _n_bits(rows)))
        tables, steps, scan_cost = _frozen_all(tables), _frozen(shells.steps), float(shells.scan_cost)
        spent = _frozen(np.append(0.0, np.cumsum(shells.costs)))
        blocks = _blocks(len(queries), min(PROBE_QUERIES, BLOCK_HITS // (k + 1)), n_threads)

        def search(block: slice) -> tuple[Hits, NDArray[np.bool_], Work]:
            hits, done, lookups, candidates = numba_probe.probe_nearest(
                rows, tables, queries[block], k, radii[block], steps, spent, scan_cost
            )
            return np.sort(hits), done, Work(lookups, candidates)

        found = _map(search, blocks, n_threads)
        done = [done for _, done, _ in found]
        return _stack([hits for hits, _, _ in found], k, done, _sum([work for *_, work in found]))


def _frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A read-only view: Numba compiles one kernel per array type, and writability is part of the type."""
    view = array.view()
    view.flags.writeable = False
    return view


def _frozen_all(arrays: Arrays) -> Arrays:
    each: Any = arrays
    return type(arrays)(*map(_frozen, each))


def _n_bits(rows: Rows) -> int:
    """No distance is larger."""
    return 8 * int(rows.codes.shape[1])


def _blocks(n_queries: int, most: int, n_threads: int) -> list[slice]:
    """Consecutive blocks of at most ``most`` queries (at least 1), enough for the threads where possible."""
    size = max(1, min(most, -(-n_queries // n_threads)))
    return [slice(begin, min(n_queries, begin + size)) for begin in range(0, n_queries, size)]


def _parts(n_codes: int, n_blocks: int, n_threads: int) -> list[slice]:
    """Parts of the codes: more than one only where there are fewer blocks of queries than threads."""
    wanted = -(-n_threads // max(n_blocks, 1))
    n_parts = max(1, min(wanted, n_codes // LEAST_PART))
    edges = [n_codes * part // n_parts for part in range(n_parts + 1)]
    return [slice(begin, end) for begin, end in pairwise(edges)]


def _map(function: Callable[[S], T], items: list[S], n_threads: int) -> list[T]:
    n_threads = min(n_threads, len(items))
    if n_threads <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(n_threads) as threads:
        return list(threads.map(function, items))


def _grouped(found: list[Hits], n_parts: int) -> list[list[Hits]]:
    return [found[i : i + n_parts] for i in range(0, len(found), n_parts)]


def _sum(works: list[Work]) -> Work:
    return Work(sum(work.lookups for work in works), sum(work.candidates for work in works))


def _join(found: list[Hits], blocks: list[slice], work: Work) -> RadiusRows:
    counts = [
        np.bincount(hits >> QUERY_SHIFT, minlength=block.stop - block.start)
        for hits, block in zip(found, blocks, strict=True)
    ]
    none = np.empty(0, np.int64)
    return radius_rows(np.concatenate([none, *counts]), np.concatenate([none, *found]), work)


def _stack(found: list[Hits], k: int, done: list[NDArray[np.bool_]], work: Work) -> NearestRows:
    all_done = np.concatenate([np.empty(0, np.bool_), *done])
    return nearest_rows(np.concatenate([np.empty((0, k), np.int64), *found]), all_done, work)
