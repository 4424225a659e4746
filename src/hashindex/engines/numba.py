"""The Numba engine: the native engine's searches without a C++ compiler."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..tables import Tables
from . import numba_probe, numba_scan
from .engine import Codes, NearestRows, RadiusRows
from .hits import QUERY_SHIFT, Hits, nearest_rows, radius_rows

S = TypeVar("S")
T = TypeVar("T")
Scalar = TypeVar("Scalar", bound=np.generic)

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

    def scan_radius(self, codes: Codes, queries: Codes, radius: int, n_threads: int) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        codes, queries, radius = _frozen(codes), _frozen(queries), _clamped(radius, codes)
        blocks = _blocks(len(queries), SCAN_QUERIES, n_threads)
        parts = _parts(len(codes), len(blocks), n_threads)

        def search(cell: tuple[slice, slice]) -> Hits:
            block, part = cell
            return np.sort(numba_scan.scan_radius(codes, queries[block], part.start, part.stop, radius))

        found = _map(search, [(block, part) for block in blocks for part in parts], n_threads)
        if len(parts) > 1:
            found = [np.sort(np.concatenate(hits)) for hits in _grouped(found, len(parts))]
        return _join(found, blocks)

    def scan_nearest(self, codes: Codes, queries: Codes, k: int, radius: int, n_threads: int) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        codes, queries, radius = _frozen(codes), _frozen(queries), _clamped(radius, codes)
        blocks = _blocks(len(queries), min(SCAN_QUERIES, BLOCK_HITS // (2 * k + 1)), n_threads)
        parts = _parts(len(codes), len(blocks), n_threads)

        def search(cell: tuple[slice, slice]) -> Hits:
            block, part = cell
            return np.sort(numba_scan.scan_nearest(codes, queries[block], part.start, part.stop, k, radius))

        found = _map(search, [(block, part) for block in blocks for part in parts], n_threads)
        if len(parts) > 1:
            found = [np.sort(np.concatenate(hits, axis=1))[:, :k] for hits in _grouped(found, len(parts))]
        return _stack(found, k)

    def build_tables(
        self, codes: Codes, starts: NDArray[np.int32], widths: NDArray[np.int32], n_threads: int
    ) -> Tables:
        """See :class:`hashindex.engines.engine.Engine`."""
        frozen = _frozen(codes)
        edges = np.cumsum([0] + [2**width + 1 for width in widths.tolist()])
        offsets, rows = np.empty(edges[-1], np.uint32), np.empty((len(starts), len(codes)), np.uint32)

        def build(t: int) -> None:
            own = offsets[edges[t] : edges[t + 1]]
            numba_probe.build_table(frozen, int(starts[t]), int(widths[t]), own, rows[t])

        _map(build, list(range(len(starts))), n_threads)
        return Tables(starts, widths, offsets, rows)

    def probe_radius(
        self,
        codes: Codes,
        tables: Tables,
        queries: Codes,
        radius: int,
        thresholds: NDArray[np.int32],
        n_threads: int,
    ) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        codes, queries, radius = _frozen(codes), _frozen(queries), _clamped(radius, codes)
        tables, thresholds = _frozen_tables(tables), _frozen(thresholds)
        blocks = _blocks(len(queries), PROBE_QUERIES, n_threads)

        def search(block: slice) -> Hits:
            return np.sort(numba_probe.probe_radius(codes, tables, queries[block], radius, thresholds))

        return _join(_map(search, blocks, n_threads), blocks)

    def probe_nearest(
        self, codes: Codes, tables: Tables, queries: Codes, k: int, radius: int, n_threads: int
    ) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        codes, queries, radius = _frozen(codes), _frozen(queries), _clamped(radius, codes)
        tables = _frozen_tables(tables)
        blocks = _blocks(len(queries), min(PROBE_QUERIES, BLOCK_HITS // (k + 1)), n_threads)

        def search(block: slice) -> Hits:
            return np.sort(numba_probe.probe_nearest(codes, tables, queries[block], k, radius))

        return _stack(_map(search, blocks, n_threads), k)


def _frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A read-only view: Numba compiles one kernel per array type, and writability is part of the type."""
    view = array.view()
    view.flags.writeable = False
    return view


def _frozen_tables(tables: Tables) -> Tables:
    return Tables(*(_frozen(array) for array in tables))  # type: ignore[arg-type]


def _clamped(radius: int, codes: Codes) -> int:
    """No distance is larger than the bits of a code."""
    n_bits: int = 8 * codes.shape[1]
    return min(radius, n_bits)


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


def _join(found: list[Hits], blocks: list[slice]) -> RadiusRows:
    counts = [
        np.bincount(hits >> QUERY_SHIFT, minlength=block.stop - block.start)
        for hits, block in zip(found, blocks, strict=True)
    ]
    none = np.empty(0, np.int64)
    return radius_rows(np.concatenate([none, *counts]), np.concatenate([none, *found]))


def _stack(found: list[Hits], k: int) -> NearestRows:
    return nearest_rows(np.concatenate([np.empty((0, k), np.int64), *found]))
