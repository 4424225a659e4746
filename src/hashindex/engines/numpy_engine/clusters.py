"""Clusters of the NumPy engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..clusters import Clusters
from ..hits import ROW_BITS, HitBudget, Hits
from ..query import NearestQuery, RadiusQuery
from ..results import NearestRows, RadiusRows, Work
from ..rows import Codes, Rows, spans
from .common import blocks_of, distances_to, hits_within, joined, stacked, words_of

N_EARLY = 4  # clusters that a query enters first, so that its limit falls early


class NumpyClusters:
    """See :class:`hashindex.engines.engine.ClustersSearches`."""

    def assign(
        self,
        codes: Codes,
        centroids: Codes,
        n_threads: int,  # noqa: ARG002
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        of, best = np.zeros(len(codes), np.int64), np.full(len(codes), 8 * codes.shape[1] + 1, np.int32)
        for begin, end in blocks_of(*codes.shape):
            words = words_of(codes[begin:end])
            for c, centroid in enumerate(words_of(centroids).T):
                distances = distances_to(words, centroid)
                nearer = distances < best[begin:end]
                of[begin:end][nearer], best[begin:end][nearer] = c, distances[nearer]
        return of, best

    def step(self, clusters: Clusters, most: int = 0) -> None:
        """None: no whole searches here."""

    def radius(self, rows: Rows, clusters: Clusters, query: RadiusQuery) -> RadiusRows:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        visitor, budget = Visitor(rows, clusters, query.codes), HitBudget(query.most_hits, len(query.codes))
        found = [budget.take(np.sort(visitor.within(q, radius))) for q, radius in enumerate(query.radii.tolist())]
        return joined(found, visitor.work)

    def nearest(self, rows: Rows, clusters: Clusters, query: NearestQuery, most: int = 0) -> NearestRows:
        """See :class:`hashindex.engines.engine.ClustersSearches`."""
        visitor = Visitor(rows, clusters, query.codes)
        found = [visitor.nearest(q, query.k, radius, most) for q, radius in enumerate(query.radii.tolist())]
        proven = np.array([of_one for _, of_one in found], np.bool_)
        return stacked([hits for hits, _ in found], query.k, visitor.work)._replace(proven=proven)


class Visitor:
    """Looks into the clusters for one query after the other."""

    def __init__(self, among: Rows, clusters: Clusters, queries: NDArray[np.uint8]) -> None:
        self.among, self.clusters = among, clusters
        self.centroid_words, self.query_words = words_of(clusters.centroids), words_of(queries)
        self.code_size = queries.shape[1]
        self.work = Work(0, 0)

    def nearest(self, q: int, k: int, radius: int, most: int) -> tuple[Hits, bool]:
        """The k least hits, sorted: those of the nearest clusters tell how far the others must be looked at.

        And whether there are none nearer. A radius from another part says that this one need not have k rows.
        """
        distances = distances_to(self.centroid_words, self.query_words[:, q])
        order, found, is_any = np.argsort(distances, kind="stable"), np.empty(0, np.int64), radius >= 8 * self.code_size
        most = most or len(order)
        begin, end = 0, min(N_EARLY, most)
        while begin < len(order):
            found = np.sort(np.concatenate([found, self._hits(q, distances, order[begin:end], radius)]))[:k]
            if 0 < k == len(found):
                radius = int(found[-1]) >> ROW_BITS
            if begin < most <= end and not (is_any and len(found) < k):
                begins, ends = self.clusters.runs(distances, radius)
                return found, not (begins < ends)[order[end:]].any()
            begin, end = end, 4 * end if end >= most else min(4 * end, most)
        return found, True

    def within(self, q: int, radius: int) -> Hits:
        """Hits within the radius, in no order."""
        distances = distances_to(self.centroid_words, self.query_words[:, q])
        return self._hits(q, distances, np.arange(len(distances)), radius)

    def _hits(self, q: int, distances: NDArray[np.int64], which: NDArray[np.int64], radius: int) -> Hits:
        begins, ends = (edge[which] for edge in self.clusters.runs(distances, radius))
        sizes = ends - begins
        self.work = Work(self.work.lookups + int((sizes > 0).sum()), self.work.candidates + int(sizes.sum()))
        places = spans(begins, sizes)
        hits = [np.empty(0, np.int64)]
        for begin, end in blocks_of(len(places), self.clusters.codes.shape[1]):
            block = places[begin:end]
            rows = np.minimum(self.clusters.rows[block], len(self.among.codes) - 1).astype(np.int64)
            words = words_of(self.clusters.codes[block])
            hits.append(hits_within(words, rows, self.query_words[:, q], radius, self.among.removed))
        return np.concatenate(hits)
