"""Clusters as a search structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engines import Engine
from ...engines.clusters import MAX_CLUSTERED, Clusters, clustered
from ...engines.query import NearestQuery, RadiusQuery
from ...engines.results import NearestRows, RadiusRows
from ...engines.rows import Codes
from ...segments.segment import Segment
from ...support.interrupts import interruptible
from ..costs import FEW as FEW_QUERIES
from ..costs import Costs
from ..structure import Kind, Prediction
from .bounds import Left, left_of_clusters, left_of_sample
from .codebook import ROUNDS, SAMPLED, codebook, n_clusters, outgrown
from .early import fewest, ranks
from .joining import assigned
from .restoring import restored

FEWEST_CODES = 2**17  # below, a scan is over soon
SHARED_FROM, SHARED = 16, 64  # queries of a batch from which on, and with which, a cluster is compared with many
FALLING = 1.4  # times the codes and clusters that the last limit leaves are met by k-nearest queries while it falls
ALONE = 1.8  # times as long to enter a cluster that no other query of the batch enters
LOOK_COST = 1.1e6  # nanoseconds
MOST_BITS = 4096  # a directory has an entry per distance and cluster


@dataclass
class Notes:
    """What is found out about a segment: what a sample says, and what the clusters themselves do."""

    sampled: Left | None = None
    built: Left | None = None
    ranks: dict[int, NDArray[np.int64]] = field(default_factory=dict)  # by k, where searches may stop early


MOST_KINDS = 64  # of early stopping that a segment remembers
FEW = 16  # a k above one in so many of the codes is not worth stopping early


class ClusterStructure:
    """Codes around centroids; of a cluster a search looks at the run that the triangle inequality leaves."""

    name = "clusters"
    stops_early = True

    def may_serve(self, segment: Segment) -> bool:
        """Where there are codes in plenty, and not too wide ones."""
        return FEWEST_CODES <= len(segment.codes) < MAX_CLUSTERED and segment.n_bits <= MOST_BITS

    def look_cost(self, segment: Segment, costs: Costs) -> float:  # noqa: ARG002
        """For about as many words of any width."""
        return costs.look * LOOK_COST

    def least(self, segment: Segment, limits: NDArray[np.int64], kind: Kind) -> NDArray[np.float64]:  # noqa: ARG002
        """Nothing can be told."""
        return np.zeros(limits.shape)

    def build_cost(self, segment: Segment, costs: Costs) -> float:
        """By the distances of all codes, and of the sample in each round, to all centroids."""
        n, words = len(segment.codes), (segment.n_bits + 63) // 64
        known = self._known(segment)
        centroids = n_clusters(n) if known is None else len(known)
        trained = ROUNDS * SAMPLED * centroids if known is None else 0
        measured = (n + trained) * centroids
        return measured * (costs.scan_code + words * costs.scan_word) + 250.0 * n

    def build(self, segment: Segment, engine: Engine, n_threads: int, parts: Sequence[Segment] = ()) -> Clusters:
        """Put each code where it belongs among the centroids of all segments.

        They are trained on a sample of this one's codes where there are none yet, or far fewer than it needs.
        """
        codes, centroids = segment.codes, self._known(segment)
        if centroids is None:
            centroids = segment.learned.shared[self.name] = codebook(codes, engine, n_threads)
        states = [(part, part.learned.states.get(self.name)) for part in parts]
        of, distances = assigned(segment, centroids, states, engine, n_threads)
        return interruptible(lambda: clustered(codes, centroids, of, distances), 100 * len(codes))

    def predict(self, segment: Segment, state: Clusters | None, limits: NDArray[np.int64], kind: Kind) -> Prediction:
        """By what the bounds leave to a sample of the codes as queries."""
        n, words, costs = len(segment.codes), (segment.n_bits + 63) // 64, kind.costs
        left = self._left(segment, state)
        at = np.minimum(limits, segment.n_bits)
        candidates = left.codes[at] * n
        centroids = self._known(segment) if state is None else state.centroids
        n_centroids = n_clusters(n) if centroids is None else len(centroids)
        lookups = left.clusters[at] * n_centroids
        found_after = None if kind.recall == 1 else self._notes(segment).ranks.get(_k_of_all(segment, kind))
        if found_after is not None:
            most = fewest(found_after, n_centroids, kind.recall)
            lookups, candidates = np.minimum(lookups, most), np.minimum(candidates, n * most / n_centroids)
        if kind.k is not None:
            lookups, candidates = np.minimum(FALLING * lookups, n_centroids), np.minimum(FALLING * candidates, n)
            candidates = np.maximum(candidates, n * left.nearest)
        code, run = _comparing(n, words, kind)
        nanoseconds = n_centroids * (1.0 + words * 0.3) + lookups * run + candidates * code
        return Prediction(lookups, candidates, nanoseconds + costs.call / max(kind.n_queries, 1))

    def radius(self, segment: Segment, state: Clusters, query: RadiusQuery, kind: Kind, engine: Engine) -> RadiusRows:  # noqa: ARG002
        """By the engine."""
        return engine.clusters.radius(segment.rows, state, query)

    def nearest(
        self,
        segment: Segment,
        state: Clusters,
        query: NearestQuery,
        kind: Kind,
        engine: Engine,
    ) -> NearestRows:
        """By the engine."""
        return engine.clusters.nearest(segment.rows, state, query, self._most(segment, state, kind, engine))

    def step(self, segment: Segment, state: Clusters, kind: Kind, engine: Engine) -> Any | None:
        """The engine's."""
        return engine.clusters.step(state, self._most(segment, state, kind, engine))

    def order(self, segment: Segment, state: Clusters) -> NDArray[np.uint32]:  # noqa: ARG002
        """Cluster by cluster."""
        return state.rows

    def arrays(self, state: Clusters) -> dict[str, NDArray[Any]]:
        """The fields of the clusters."""
        return state._asdict()

    def restore(self, segment: Segment, arrays: dict[str, NDArray[Any]]) -> Clusters:
        """The clusters, if they are of as many codes of that width; their centroids serve other segments too."""
        clusters = restored(segment, arrays)
        segment.learned.shared[self.name] = clusters.centroids
        return clusters

    def _known(self, segment: Segment) -> Codes | None:
        """The centroids of all segments, if there are any and this one has not outgrown them."""
        known: Codes | None = segment.learned.shared.get(self.name)
        return None if known is None or outgrown(known, len(segment.codes)) else known

    def _left(self, segment: Segment, state: Clusters | None) -> Left:
        notes, n_limits = self._notes(segment), segment.n_bits + 1
        if state is None:
            if notes.sampled is None:
                notes.sampled = left_of_sample(segment.codes, n_limits)
            return notes.sampled
        if notes.built is None:
            notes.built = left_of_clusters(state, n_limits)
        return notes.built

    def _most(self, segment: Segment, state: Clusters, kind: Kind, engine: Engine) -> int:
        """How many clusters a search visits that may stop early; 0 = all it must."""
        k = _k_of_all(segment, kind)
        if kind.recall == 1 or k * FEW > len(segment.codes):
            return 0
        known = self._notes(segment).ranks
        found_after = known.get(k)
        if found_after is None:
            found_after = ranks(segment.codes, state, k, engine, kind.n_threads)
            if len(known) >= MOST_KINDS:
                known.clear()  # other threads hold what they need of it
            known[k] = found_after
        return fewest(found_after, len(state.centroids), kind.recall)

    def _notes(self, segment: Segment) -> Notes:
        notes: Notes = segment.learned.notes.setdefault(self.name, Notes())
        return notes


def _comparing(n_codes: int, words: int, kind: Kind) -> tuple[float, float]:
    """Nanoseconds of a code met, and of a cluster entered, by one query of so many."""
    costs = kind.costs
    # Of more queries the first brings a cluster into the cache.
    lone = costs.lone(n_codes, words) if kind.n_queries <= FEW_QUERIES else costs.warm * costs.near(words)
    share = min(max(kind.n_queries - SHARED_FROM, 0) / (SHARED - SHARED_FROM), 1.0)
    together = lone if costs.chunk else costs.scan_code + words * costs.scan_word  # none are turned in clusters
    return lone + share * (together - lone), costs.run * (ALONE + share * (1 - ALONE))


def _k_of_all(segment: Segment, kind: Kind) -> int:
    """How many of the codes are as near as the k nearest of those that were not removed, about."""
    return ceil((kind.k or 1) * segment.n_rows / max(segment.n_codes, 1))
