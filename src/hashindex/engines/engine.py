"""What every engine offers: searches as pure functions over flat arrays."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..tables import Tables

Codes = NDArray[np.uint8]  # (n, code_size), C-contiguous
RadiusRows = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]  # offsets, distances, rows
NearestRows = tuple[NDArray[np.int32], NDArray[np.int64]]  # distances, rows

MISSING_ROW = -1  # its distance is matches.MISSING_DISTANCE


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

    def scan_radius(self, codes: Codes, queries: Codes, radius: int, n_threads: int) -> RadiusRows:
        """All rows within ``radius`` of each query, by looking at every code."""

    def scan_nearest(self, codes: Codes, queries: Codes, k: int, radius: int, n_threads: int) -> NearestRows:
        """The ``k <= n_codes`` nearest rows within ``radius``, by looking at every code.

        Shapes (n_queries, k); missing neighbours have row -1 and distance 2**31 - 1, at row ends.
        """

    def build_tables(
        self, codes: Codes, starts: NDArray[np.int32], widths: NDArray[np.int32], n_threads: int
    ) -> Tables:
        """Group the rows by each table's key."""

    def probe_radius(
        self,
        codes: Codes,
        tables: Tables,
        queries: Codes,
        radius: int,
        thresholds: NDArray[np.int32],
        n_threads: int,
    ) -> RadiusRows:
        """As ``scan_radius``, looking only into buckets within ``thresholds[t]`` flips of the query's keys.

        Complete when the thresholds satisfy the pigeonhole of :func:`hashindex.tables.thresholds`.
        """

    def probe_nearest(
        self, codes: Codes, tables: Tables, queries: Codes, k: int, radius: int, n_threads: int
    ) -> NearestRows:
        """As ``scan_nearest``, widening the search shell by shell until the answer is certain."""
