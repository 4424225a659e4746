"""A found row as one integer, a hit, so that the order (distance, row) is the order of integers.

``hit = distance << 32 | row``, int64. Bits from 52 on may number the query, which then sorts first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..matches import MISSING_DISTANCE
from .query import NearestQuery
from .results import MISSING_ROW, NearestRows, RadiusRows, TooManyHits, Work

Hits = NDArray[np.int64]

ROW_BITS = 32  # rows are below 2**32 - 1
QUERY_SHIFT = 52  # distances are at most 65536
MISSING = MISSING_DISTANCE << ROW_BITS | (2**ROW_BITS - 1)  # behind every hit

WORTH_TRYING = 0.5  # share of a scan's cost that a k-NN query may spend before it must promise to finish


def radius_rows(counts: NDArray[np.intp], hits: Hits, work: Work) -> RadiusRows:
    """Offsets, distances and rows of sorted ``hits``, ``counts[q]`` of them for each query q in turn."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    distances = (hits >> ROW_BITS & (2 ** (QUERY_SHIFT - ROW_BITS) - 1)).astype(np.int32)
    return RadiusRows(offsets, distances, hits & (2**ROW_BITS - 1), work)


def nearest_rows(hits: Hits, work: Work) -> NearestRows:
    """Distances and rows of ``hits`` (n_queries, k), each row sorted and padded with ``MISSING``."""
    rows = hits & (2**ROW_BITS - 1)
    rows[hits == MISSING] = MISSING_ROW
    return NearestRows((hits >> ROW_BITS).astype(np.int32), rows, work)


def finished(
    found: NearestRows, done: NDArray[np.bool_], query: NearestQuery, scan: Callable[[NearestQuery], NearestRows]
) -> NearestRows:
    """Finish by ``scan`` the queries (n_queries,) that are not done; what was found bounds how far it looks."""
    left = np.flatnonzero(~done)
    if len(left) == 0:
        return found
    radii = np.minimum(found.distances[left, -1], query.radii[left])
    rest = scan(query._replace(codes=query.codes[left], radii=radii))
    found.distances[left], found.rows[left] = rest.distances, rest.rows
    work = Work(found.work.lookups + rest.work.lookups, found.work.candidates + rest.work.candidates)
    return found._replace(work=work)


class HitBudget:
    """Counts the hits of a search of ``n_queries`` queries; raises TooManyHits beyond ``most`` (0 = no bound)."""

    def __init__(self, most: int, n_queries: int) -> None:
        self.left = most if most and n_queries > 1 else None

    def block(self, most_queries: int) -> int:
        """How many queries to search for before hits are counted again."""
        return most_queries if self.left is None else min(most_queries, 64)

    def take(self, hits: Hits) -> Hits:
        """Count ``hits`` and return them."""
        if self.left is not None:
            n = len(hits)
            self.left -= n  # without a call in between, at which another thread might go on
            if self.left < 0:
                raise TooManyHits
        return hits
