"""The linear scan of the NumPy engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hits import HitBudget, Hits
from ..query import NearestQuery, RadiusQuery, Relevance
from ..results import NearestRows, RadiusRows, Work
from ..rows import Codes, Rows
from .common import blocks_of, distances_to, hits_within, joined, stacked, words_of


class NumpyScan:
    """See :class:`hashindex.engines.engine.ScanSearches`."""

    def step(self) -> None:
        """None: no whole searches here."""

    def radius(self, rows: Rows, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.ScanSearches`."""
        n_queries = len(query.codes)
        budget = HitBudget(query.most_hits, n_queries)
        step, found = budget.block(max(n_queries, 1)), []
        for begin in range(0, n_queries, step):
            block = slice(begin, begin + step)
            found += [budget.take(hits) for hits in scan_hits(rows, query.codes[block], query.radii[block].tolist())]
        return joined(found, Work(0, len(rows.codes) * n_queries))

    def nearest(self, rows: Rows, query: NearestQuery) -> NearestRows:
        """See :class:`hashindex.engines.engine.ScanSearches`."""
        found = scan_hits(rows, query.codes, query.radii.tolist(), query.k)
        return stacked(found, query.k, Work(0, len(rows.codes) * len(query.codes)))


def scan_hits(rows: Rows, queries: Codes, radii: list[int], k: int | None = None) -> list[Hits]:
    """For each query q the sorted hits within ``radii[q]``, the first ``k`` of them."""
    found = [np.empty(0, np.int64)] * len(queries)
    query_words = words_of(queries)
    for begin, end in blocks_of(*rows.codes.shape):
        words, block = words_of(rows.codes[begin:end]), np.arange(begin, end)
        for q, radius in enumerate(radii):
            hits = np.concatenate([found[q], hits_within(words, block, query_words[:, q], radius, rows.removed)])
            found[q] = np.partition(hits, k)[:k] if k is not None and len(hits) > k else hits
    return [np.sort(hits) for hits in found]


def count_distances(codes: Codes, queries: Codes, relevance: Relevance) -> NDArray[np.int64]:
    """See :class:`hashindex.engines.engine.Engine`."""
    n_distances = 8 * codes.shape[1] + 1
    counts, query_words = np.zeros((2, len(queries), n_distances), np.int64), words_of(queries)
    for begin, end in blocks_of(*codes.shape):
        words, labels = words_of(codes[begin:end]), relevance.codes[:, begin:end]
        for q, wanted in enumerate(relevance.queries):
            distances = distances_to(words, query_words[:, q])
            if relevance.shared:
                relevant = (labels & wanted[:, None]).any(axis=0)
            else:
                relevant = (labels == wanted[:, None]).all(axis=0)
            counts[0, q] += np.bincount(distances, minlength=n_distances)
            counts[1, q] += np.bincount(distances[relevant], minlength=n_distances)
    return counts
