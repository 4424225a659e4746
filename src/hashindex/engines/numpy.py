"""The plain NumPy engine: no compiler, no dependency, and slow. What the others do, in few lines."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from ..tables import Tables
from .engine import Codes, NearestRows, RadiusRows
from .hits import MISSING, ROW_BITS, Hits, nearest_rows, radius_rows

BLOCK_BYTES = 2**22  # of working memory, about, per array


class NumpyEngine:
    """Searches written with NumPy alone, in one thread."""

    name = "numpy"
    description = "numpy"

    def scan_radius(
        self,
        codes: Codes,
        queries: Codes,
        radius: int,
        n_threads: int,  # noqa: ARG002
    ) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _join(_scan(codes, queries, radius))

    def scan_nearest(
        self,
        codes: Codes,
        queries: Codes,
        k: int,
        radius: int,
        n_threads: int,  # noqa: ARG002
    ) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _stack(_scan(codes, queries, radius, k), k)

    def build_tables(
        self,
        codes: Codes,
        starts: NDArray[np.int32],
        widths: NDArray[np.int32],
        n_threads: int,  # noqa: ARG002
    ) -> Tables:
        """See :class:`hashindex.engines.engine.Engine`."""
        offsets: list[NDArray[np.int64]] = []
        rows = np.empty((len(starts), len(codes)), np.uint32)
        for t, (start, width) in enumerate(zip(starts.tolist(), widths.tolist(), strict=True)):
            keys = _keys(codes, start, width)
            rows[t] = np.argsort(keys, kind="stable")
            offsets += [np.zeros(1, np.int64), np.cumsum(np.bincount(keys, minlength=2**width))]
        return Tables(starts, widths, np.concatenate(offsets).astype(np.uint32), rows)

    def probe_radius(
        self,
        codes: Codes,
        tables: Tables,
        queries: Codes,
        radius: int,
        thresholds: NDArray[np.int32],
        n_threads: int,  # noqa: ARG002
    ) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        prober = _Prober(codes, tables, queries, radius)
        shells = [(t, flips) for t, allowed in enumerate(thresholds.tolist()) for flips in range(allowed + 1)]
        return _join(
            [
                np.unique(np.concatenate([np.empty(0, np.int64), *(prober.shell(q, t, flips) for t, flips in shells)]))
                for q in range(len(queries))
            ]
        )

    def probe_nearest(
        self,
        codes: Codes,
        tables: Tables,
        queries: Codes,
        k: int,
        radius: int,
        n_threads: int,  # noqa: ARG002
    ) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        prober = _Prober(codes, tables, queries, radius)
        return _stack([prober.nearest(q, k) for q in range(len(queries))], k)


class _Prober:
    """Looks into the buckets of one set of tables."""

    def __init__(self, codes: Codes, tables: Tables, queries: Codes, radius: int) -> None:
        self.codes, self.tables, self.radius = codes, tables, radius
        self.widths: list[int] = tables.widths.tolist()
        self.firsts = np.cumsum([0] + [2**width + 1 for width in self.widths])
        self.keys = [
            _keys(queries, start, width) for start, width in zip(tables.starts.tolist(), self.widths, strict=True)
        ]
        self.query_words = _words(queries)
        self.masks: dict[tuple[int, int], NDArray[np.int64]] = {}  # by width and flips

    def shell(self, q: int, t: int, flips: int) -> Hits:
        """Hits within the radius in the buckets of table t whose key differs in ``flips`` bits from the query's."""
        width = self.widths[t]
        if (width, flips) not in self.masks:
            self.masks[width, flips] = np.flatnonzero(np.bitwise_count(np.arange(2**width)) == flips)
        buckets = self.firsts[t] + (self.keys[t][q] ^ self.masks[width, flips])
        begins = self.tables.offsets[buckets].astype(np.int64)
        sizes = self.tables.offsets[buckets + 1] - begins
        places = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        rows = self.tables.rows[t, places].astype(np.int64)
        return np.concatenate(
            [np.empty(0, np.int64)]
            + [
                _hits(_words(self.codes[block]), block, self.query_words[:, q], self.radius)
                for block in (rows[begin:end] for begin, end in _blocks(len(rows), self.codes.shape[1]))
            ]
        )

    def nearest(self, q: int, k: int) -> Hits:
        """Sorted, at most k hits: widens one table by one flip at a time until the answer is certain.

        With ``shown[t]`` shells of table t seen, every code within ``sum(shown) - 1`` has been seen (pigeonhole).
        """
        shown = [0] * len(self.widths)
        found = np.empty(0, np.int64)
        while sum(shown) <= self.radius and not any(np.greater(shown, self.widths)):
            if len(found) == k and (k == 0 or found[-1] >> ROW_BITS < sum(shown)):
                break
            t = min(range(len(shown)), key=lambda t: comb(self.widths[t], shown[t]))
            found = np.union1d(found, self.shell(q, t, shown[t]))[:k]
            shown[t] += 1
        return found


def _scan(codes: Codes, queries: Codes, radius: int, k: int | None = None) -> list[Hits]:
    """For each query the sorted hits within ``radius``, the first ``k`` of them."""
    found = [np.empty(0, np.int64)] * len(queries)
    query_words = _words(queries)
    for begin, end in _blocks(len(codes), codes.shape[1]):
        words, rows = _words(codes[begin:end]), np.arange(begin, end)
        for q in range(len(queries)):
            hits = np.concatenate([found[q], _hits(words, rows, query_words[:, q], radius)])
            found[q] = np.partition(hits, k)[:k] if k is not None and len(hits) > k else hits
    return [np.sort(hits) for hits in found]


def _hits(words: NDArray[np.uint64], rows: NDArray[np.int64], query_words: NDArray[np.uint64], radius: int) -> Hits:
    """Those of ``rows`` (n,), with ``words`` (n_words, n), that lie within ``radius`` of the query (n_words,)."""
    distances = np.bitwise_count(words ^ query_words[:, None]).sum(axis=0, dtype=np.int64)
    near = np.flatnonzero(distances <= radius)
    hits: Hits = distances[near] << ROW_BITS | rows[near]
    return hits


def _blocks(n: int, code_size: int) -> list[tuple[int, int]]:
    """Consecutive (begin, end) of n codes, in blocks of about ``BLOCK_BYTES``."""
    step = max(1, BLOCK_BYTES // code_size)
    return [(begin, min(n, begin + step)) for begin in range(0, n, step)]


def _words(codes: Codes) -> NDArray[np.uint64]:
    """Codes (n, code_size) as words (n_words, n), the last one padded with zeros."""
    n, code_size = codes.shape
    padded = np.zeros((n, -(-code_size // 8) * 8), np.uint8)
    padded[:, :code_size] = codes
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _keys(codes: Codes, start: int, width: int) -> NDArray[np.int64]:
    """The keys (n,) of codes (n, code_size) in a table of bits ``start`` to ``start + width - 1``."""
    first, last = start // 8, (start + width - 1) // 8
    keys = np.zeros(len(codes), np.int64)
    for byte in range(first, last + 1):
        keys = keys << 8 | codes[:, byte]
    keys >>= 8 * (last + 1) - start - width
    keys &= 2**width - 1
    return keys


def _join(hits: list[Hits]) -> RadiusRows:
    counts = np.array([len(found) for found in hits], np.intp)
    return radius_rows(counts, np.concatenate([np.empty(0, np.int64), *hits]))


def _stack(hits: list[Hits], k: int) -> NearestRows:
    best = np.full((len(hits), k), MISSING)
    for q, found in enumerate(hits):
        best[q, : len(found)] = found
    return nearest_rows(best)
