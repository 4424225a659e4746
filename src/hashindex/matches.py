"""What a search returns: named tuples of arrays, every row ordered by (distance, id)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MISSING_ID = -1
MISSING_DISTANCE = 2**31 - 1
MISSING_SCORE = -np.inf


class Row(NamedTuple):
    """The matches of one query, nearest first, none missing."""

    distances: NDArray[np.int32]  # (n_matches,)
    ids: NDArray[np.int64]  # (n_matches,)


class RadiusMatches(NamedTuple):
    """Every code within the radius of each query, as CSR rows.

    The matches of query i are ``distances[offsets[i]:offsets[i + 1]]`` and the same slice of ``ids``.
    """

    offsets: NDArray[np.int64]  # (n_queries + 1,)
    distances: NDArray[np.int32]  # (n_matches,)
    ids: NDArray[np.int64]  # (n_matches,)

    @property
    def n_queries(self) -> int:
        """How many queries were answered."""
        return len(self.offsets) - 1

    def row(self, i: int) -> Row:
        """Return the matches of query ``i``; negative i counts from the end. IndexError beyond."""
        i = _position(i, self.n_queries)
        inside = slice(self.offsets[i], self.offsets[i + 1])
        return Row(self.distances[inside], self.ids[inside])


class NearestMatches(NamedTuple):
    """The k nearest codes of each query; one query given as a 1-D code has 1-D arrays.

    Missing neighbours (fewer than k codes, or fewer within the radius) have id -1 and distance 2**31 - 1 and
    stand only at row ends.
    """

    distances: NDArray[np.int32]  # (n_queries, k)
    ids: NDArray[np.int64]  # (n_queries, k)

    @property
    def n_queries(self) -> int:
        """How many queries were answered."""
        return len(self.ids) if self.ids.ndim == 2 else 1

    def row(self, i: int) -> Row:
        """Return the matches of query ``i`` without the missing ones. IndexError beyond the last query."""
        i = _position(i, self.n_queries)
        distances, ids = np.atleast_2d(self.distances)[i], np.atleast_2d(self.ids)[i]
        found = ids != MISSING_ID
        return Row(distances[found], ids[found])


class ApproximateMatches(NearestMatches):
    """What a search with ``recall=`` found: nearest matches that may lack some, and where they cannot.

    A tuple of ``distances`` and ``ids`` as that of an exact search; ``proven`` comes besides.
    """

    proven: NDArray[np.bool_]  # (n_queries,) the answers that are those of an exact search

    def __new__(
        cls, distances: NDArray[np.int32], ids: NDArray[np.int64], proven: NDArray[np.bool_]
    ) -> ApproximateMatches:
        """Make it of the arrays."""
        self = tuple.__new__(cls, (distances, ids))
        self.proven = proven
        return self

    def _replace(self, **changes: Any) -> ApproximateMatches:
        """The same with other arrays; ``proven`` may be among them."""
        return ApproximateMatches(**{"distances": self.distances, "ids": self.ids, "proven": self.proven, **changes})

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Copies and pickles have all three."""
        return *self, self.proven


class ScoredRow(NamedTuple):
    """The matches of one query, best first, none missing."""

    scores: NDArray[np.float32]  # (n_matches,)
    ids: NDArray[np.int64]  # (n_matches,)


class ScoredMatches(NamedTuple):
    """The k best of each query by (score descending, id); one query given as a 1-D code has 1-D arrays.

    Missing ones (fewer than k codes, or fewer within the radius) have id -1 and score minus infinity and stand only at
    row ends.
    """

    scores: NDArray[np.float32]  # (n_queries, k)
    ids: NDArray[np.int64]  # (n_queries, k)

    @property
    def n_queries(self) -> int:
        """How many queries were answered."""
        return len(self.ids) if self.ids.ndim == 2 else 1

    def row(self, i: int) -> ScoredRow:
        """Return the matches of query ``i`` without the missing ones. IndexError beyond the last query."""
        i = _position(i, self.n_queries)
        scores, ids = np.atleast_2d(self.scores)[i], np.atleast_2d(self.ids)[i]
        found = ids != MISSING_ID
        return ScoredRow(scores[found], ids[found])


def _position(i: int, n_queries: int) -> int:
    if not -n_queries <= i < n_queries:
        raise IndexError(f"row {i} of {n_queries} queries")
    return i % n_queries


def in_one_row(
    matches: RadiusMatches | NearestMatches,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """All matches of several queries one after another: the number of the query, distance and id of each, (n,)."""
    if isinstance(matches, RadiusMatches):
        counts = np.diff(matches.offsets)
        return np.repeat(np.arange(len(counts)), counts), matches.distances, matches.ids
    found = matches.ids >= 0
    return np.nonzero(found)[0], matches.distances[found], matches.ids[found]
