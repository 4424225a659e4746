"""What every engine offers: searches as pure functions over flat arrays."""

from __future__ import annotations

from math import inf
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .tables import Layout, Tables

Codes = NDArray[np.uint8]  # (n, code_size), C-contiguous
MISSING_ROW = -1  # its distance is matches.MISSING_DISTANCE
NOTHING_REMOVED = np.empty(0, np.uint8)
NOTHING_REMOVED.flags.writeable = False


class Rows(NamedTuple):
    """What is searched: codes, and which of them were removed."""

    codes: Codes
    removed: NDArray[np.uint8] = NOTHING_REMOVED  # a bit per row, little-endian in the byte; empty = none


class Work(NamedTuple):
    """What a search did."""

    lookups: int  # buckets visited
    candidates: int  # codes looked at: those in the buckets, or all


class RadiusRows(NamedTuple):
    """All rows within a radius, as CSR."""

    offsets: NDArray[np.int64]  # (n_queries + 1,)
    distances: NDArray[np.int32]
    rows: NDArray[np.int64]
    work: Work


class NearestRows(NamedTuple):
    """The nearest rows, (n_queries, k); missing ones, at row ends, have row -1 and distance 2**31 - 1."""

    distances: NDArray[np.int32]
    rows: NDArray[np.int64]
    done: NDArray[np.bool_]  # (n_queries,) whether the answer is certain
    work: Work


class Shells(NamedTuple):
    """The steps of a k-NN search by tables: step s looks at keys that differ in ``flips`` bits in one table."""

    steps: NDArray[np.int32]  # (n_steps, 2): table, flips; per table the flips count up from 0
    costs: NDArray[np.float64]  # (n_steps,) predicted nanoseconds per query
    scan_cost: float = inf  # of a query by a scan; a query that promises to cost more is left undone


class Relevance(NamedTuple):
    """Which codes are relevant to which queries, told by label words."""

    queries: NDArray[np.uint32]  # (n_queries, n_words)
    codes: NDArray[np.uint32]  # (n_words, n_codes)
    shared: bool  # relevant are those with a bit in common; else those whose words are all equal


class TooManyHits(Exception):  # noqa: N818 - a signal, not an error
    """A radius search was told to stop at so many hits."""


class Engine(Protocol):
    """Searches that speak of rows (positions in ``codes``), not ids; checked input only.

    Every result is ordered by (distance, row). ``radius`` is inclusive. ``n_threads`` never changes an answer.
    """

    @property
    def name(self) -> str:
        """``native``, ``numba`` or ``numpy``."""

    @property
    def description(self) -> str:
        """The name with what matters for speed, as in ``native (avx512)``."""

    def scan_radius(self, rows: Rows, queries: Codes, radius: int, n_threads: int, most_hits: int = 0) -> RadiusRows:
        """All rows within ``radius`` of each query, by looking at every code.

        With several queries and ``most_hits`` > 0, raises :class:`TooManyHits` soon after more have been found.
        """

    def scan_nearest(self, rows: Rows, queries: Codes, k: int, radii: NDArray[np.int32], n_threads: int) -> NearestRows:
        """The ``k <= n_codes`` nearest rows of each query q within ``radii[q]``, by looking at every code."""

    def count_distances(self, codes: Codes, queries: Codes, relevance: Relevance, n_threads: int) -> NDArray[np.int64]:
        """How many codes, and how many relevant ones, lie at each distance: (2, n_queries, 8 * code_size + 1).

        Fewer than 2**32 codes.
        """

    def build_tables(self, codes: Codes, layout: Layout, n_threads: int) -> Tables:
        """Group the rows by each table's key."""

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
        """As ``scan_radius``, looking only into buckets within ``thresholds[t]`` flips of the query's keys.

        Complete if ``sum(thresholds + 1) > radius``, or if a threshold is its table's width.
        """

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
        """As ``scan_nearest``, shell by shell until the answer is certain.

        A query left undone has what was found so far: its k-th distance, if there is one, bounds the answer's.
        """
