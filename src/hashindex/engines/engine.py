"""What every engine offers: searches as pure functions over flat arrays, one set of them per search structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .clusters import Clusters
from .query import NearestQuery, RadiusQuery, Relevance
from .results import NearestRows, RadiusRows
from .rows import Codes, Rows
from .scoring import score_codes, score_vectors
from .tables import Layout, Shells, Tables


class ScanSearches(Protocol):
    """Searches that look at every code."""

    def radius(self, rows: Rows, query: RadiusQuery) -> RadiusRows:
        """All rows within ``query.radii[q]`` of each query q."""

    def nearest(self, rows: Rows, query: NearestQuery) -> NearestRows:
        """The ``query.k`` nearest rows of each query q within ``query.radii[q]``."""

    def step(self) -> Any | None:
        """What the engine's whole searches take for this structure; None if it has none."""


class MultiIndexSearches(Protocol):
    """Searches by multi-index hashing."""

    def build(self, codes: Codes, layout: Layout, n_threads: int) -> Tables:
        """Group the rows by each table's key."""

    def radius(self, rows: Rows, tables: Tables, query: RadiusQuery, thresholds: NDArray[np.int32]) -> RadiusRows:
        """As of the scan, looking only into buckets within ``thresholds[t]`` flips of the query's keys.

        Complete if ``sum(thresholds + 1)`` exceeds every radius, or if a threshold is its table's width.
        """

    def nearest(self, rows: Rows, tables: Tables, query: NearestQuery, shells: Shells) -> NearestRows:
        """As of the scan, shell by shell until the answer is certain.

        A query that promises to cost more than ``shells.scan_cost`` is finished by a scan.
        """

    def step(self, tables: Tables, thresholds: NDArray[np.int32], shells: Shells) -> Any | None:
        """What the engine's whole searches take for this structure; None if it has none."""


class ClustersSearches(Protocol):
    """Searches by clusters: of each the run that the triangle inequality leaves, or nothing."""

    def assign(self, codes: Codes, centroids: Codes, n_threads: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The nearest centroid of each code (n,), the first of those as near, and how far it is (n,)."""

    def radius(self, rows: Rows, clusters: Clusters, query: RadiusQuery) -> RadiusRows:
        """As of the scan."""

    def nearest(self, rows: Rows, clusters: Clusters, query: NearestQuery, most: int = 0) -> NearestRows:
        """As of the scan, the nearest clusters first.

        With ``most``, of each query only so many clusters, the nearest, or all if they have fewer than k rows.
        """

    def step(self, clusters: Clusters, most: int = 0) -> Any | None:
        """What the engine's whole searches take for this structure; None if it has none."""


class FoldsSearches(Protocol):
    """Searches by folds (n_codes, fold_size) of the codes: those whose folds are near are looked at themselves."""

    def build(self, codes: Codes, fold_size: int, n_threads: int) -> Codes:
        """The folds, of whole words."""

    def radius(self, rows: Rows, folds: Codes, query: RadiusQuery) -> RadiusRows:
        """As of the scan."""

    def nearest(self, rows: Rows, folds: Codes, query: NearestQuery) -> NearestRows:
        """As of the scan."""

    def step(self, folds: Codes, code_size: int) -> Any | None:
        """What the engine's whole searches take for this structure; None if it has none."""


class PartArrays(NamedTuple):
    """One part of an index: rows in id order, which hold codes; removed or not."""

    codes: Codes
    first_id: int
    ids: NDArray[np.int64] | None  # (n_rows,) ascending; None = first_id + row
    starts: NDArray[np.int64] | None = None  # postings: distinct code u is held by rows
    holders: NDArray[np.uint32] | None = None  # holders[starts[u] : starts[u + 1]]


class WholePlan(Protocol):
    """A search of all parts in one call: structures, postings, ids and the merge.

    ``radii`` is one number or int32 (n_queries,); ``tail`` is a part searched by a scan up to row ``n_tail``.
    ``removed`` is None or tells for each part None or which rows and which holders were removed, each None or the
    pages and the table of :class:`hashindex.engines.removed.Removed`. With ``report`` a list of (lookups, candidates,
    nanoseconds, isa) per part, the tail's last, follows the arrays. ``proven``, None or bool (n_queries,), all of
    them true, becomes false where a structure stopped early and might have found others.
    """

    def radius(
        self,
        queries: Codes,
        radii: Any,
        tail: Any,
        n_tail: int,
        removed: Any,
        most_hits: int,
        n_threads: int,
        report: bool,
    ) -> Any:
        """Return (offsets, distances, ids), None if there are more than ``most_hits``."""

    def nearest(
        self,
        queries: Codes,
        k: int,
        radii: Any,
        tail: Any,
        n_tail: int,
        removed: Any,
        n_threads: int,
        report: bool,
        proven: NDArray[np.bool_] | None,
    ) -> Any:
        """Return (distances, ids), (n_queries, k) or for a 1-D query (k,)."""


class Engine(Protocol):
    """Searches that speak of rows (positions in the codes), not ids; checked input only.

    Every result is ordered by (distance, row). A radius is inclusive. ``n_threads`` never changes an answer.
    """

    @property
    def name(self) -> str:
        """``native``, ``numba`` or ``numpy``."""

    @property
    def description(self) -> str:
        """The name with what matters for speed, as in ``native (avx512)``."""

    @property
    def scan(self) -> ScanSearches:
        """The linear scan."""

    @property
    def multi_index(self) -> MultiIndexSearches:
        """Multi-index hashing."""

    @property
    def clusters(self) -> ClustersSearches:
        """Clusters around centroids."""

    @property
    def folds(self) -> FoldsSearches:
        """Scans of folds."""

    def count_distances(self, codes: Codes, queries: Codes, relevance: Relevance, n_threads: int) -> NDArray[np.int64]:
        """How many codes, and how many relevant ones, lie at each distance: (2, n_queries, 8 * code_size + 1).

        Fewer than 2**32 codes.
        """

    def score_codes(self, codes: Codes, queries: NDArray[np.float32], n_threads: int) -> NDArray[np.float32]:
        """Dot products of queries (n_queries, n_dims) with the bits, as +1 and -1, of codes (n_queries, n, code_size).

        float32 (n_queries, n), from sums in the order of :mod:`hashindex.engines.scoring`.
        """

    def score_vectors(
        self, vectors: NDArray[np.float32], queries: NDArray[np.float32], n_threads: int
    ) -> NDArray[np.float32]:
        """The same with vectors (n_queries, n, n_dims)."""

    def append(
        self, room: Codes, room_ids: NDArray[np.int64], begin: int, most: int, codes: Any, first_id: int
    ) -> NDArray[np.int64] | None:
        """Copy plain codes, (n, code_size) or one, to the rows of a room from ``begin`` on, below ``most``.

        Their ids, counted up from ``first_id``, are returned (n,). None, and nothing is written, for whatever needs a
        closer look, or if the engine has no such fast lane.
        """

    def part(self, arrays: PartArrays) -> Any | None:
        """A part in the form that :meth:`plan` takes; None from an engine without whole searches."""

    def plan(self, steps: Sequence[tuple[Any, Any, NDArray[np.int64] | None]]) -> WholePlan | None:
        """Put parts, the steps of their structures, and counts of how far they look together.

        The counts, int64 (8 * code_size + 1,), are raised at the distance that each k-nearest query had to look to.
        None from an engine without whole searches.
        """


class ReadableEngine:
    """An engine without whole searches: Python goes from part to part and merges, and scores in NumPy."""

    def score_codes(self, codes: Codes, queries: NDArray[np.float32], n_threads: int) -> NDArray[np.float32]:  # noqa: ARG002
        """See :class:`Engine`."""
        return score_codes(codes, queries)

    def score_vectors(
        self,
        vectors: NDArray[np.float32],
        queries: NDArray[np.float32],
        n_threads: int,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """See :class:`Engine`."""
        return score_vectors(vectors, queries)

    def append(
        self,
        room: Codes,
        room_ids: NDArray[np.int64],
        begin: int,
        most: int,
        codes: Any,
        first_id: int,
    ) -> None:
        """See :class:`Engine`."""

    def part(self, arrays: PartArrays) -> None:
        """See :class:`Engine`."""

    def plan(self, steps: Sequence[tuple[Any, Any, NDArray[np.int64] | None]]) -> None:
        """See :class:`Engine`."""
