"""Whether an answer is right: equal to faiss's exhaustive one, or how much of it was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray
from sets import Codes, Data

Array = NDArray[Any]


class Hits(NamedTuple):
    """Everything within a radius, as CSR rows."""

    offsets: Array
    distances: Array
    ids: Array


class Near(NamedTuple):
    """The k nearest, (n_queries, k)."""

    distances: Array
    ids: Array


_kept: list[tuple[Codes, Any]] = []


def flat(codes: Codes) -> Any:
    """faiss's exhaustive index of the codes; that of the last codes is kept, and the codes with it."""
    if not _kept or _kept[0][0] is not codes:
        index = faiss.IndexBinaryFlat(codes.shape[1] * 8)
        index.add(codes)
        _kept[:] = [(codes, index)]
    return _kept[0][1]


def true_hits(data: Data, radius: int) -> Hits:
    offsets, distances, ids = flat(data.codes).range_search(data.queries, radius + 1)  # faiss's radius is strict
    return Hits(offsets.astype(np.int64), distances.astype(np.int32), ids)


def true_near(data: Data, k: int) -> Near:
    return Near(*flat(data.codes).search(data.queries, k))


def row_of(hits: Hits) -> NDArray[np.int64]:
    """The query of every hit."""
    counts: Array = np.diff(hits.offsets.astype(np.int64))
    return np.repeat(np.arange(len(counts)), counts)


def joined(answers: Sequence[Hits | Near]) -> Hits | Near:
    """The answers of several calls as that of one; they are all of one kind."""
    hits = [answer for answer in answers if isinstance(answer, Hits)]
    near = [answer for answer in answers if isinstance(answer, Near)]
    distances, ids = (np.concatenate(part) for part in zip(*(answer[-2:] for answer in answers), strict=True))
    if near:
        return Near(distances, ids)
    counts = np.concatenate([np.diff(answer.offsets.astype(np.int64)) for answer in hits])
    return Hits(np.concatenate([[0], counts.cumsum()]), distances, ids)


def in_order(hits: Hits) -> Hits:
    """The same hits with every row ordered by (distance, id)."""
    order = np.lexsort((hits.ids, hits.distances, row_of(hits)))
    return Hits(hits.offsets.astype(np.int64), hits.distances[order].astype(np.int32), hits.ids[order].astype(np.int64))


def same_hits(found: Hits, expected: Hits) -> bool:
    pairs = zip(in_order(found), in_order(expected), strict=True)
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


def hits_recall(found: Hits, expected: Hits) -> float:
    """The share of the expected (query, id) that was found."""
    mine, theirs = (row_of(hits) << 32 | hits.ids.astype(np.int64) for hits in (found, expected))
    return float(np.isin(theirs, mine).mean()) if len(theirs) else 1.0


def true_distances(data: Data, ids: Array) -> Array:
    """Distances of the codes with these ids, (n_queries, k); a missing one is far."""
    found = data.codes[np.maximum(ids, 0)]
    distances = np.bitwise_count(found ^ data.queries[:, None]).sum(axis=2, dtype=np.int32)
    return np.where(ids < 0, np.iinfo(np.int32).max, distances)


def same_near(data: Data, found: Near, expected: Near) -> bool:
    """Equal distances, and equal ids below the k-th distance; at it any code of that distance will do."""
    distances = np.sort(found.distances.astype(np.int64), axis=1)
    if not np.array_equal(distances, expected.distances) or not np.array_equal(
        true_distances(data, found.ids), found.distances
    ):
        return False
    below = []
    for near in (found, expected):
        inside = near.distances < near.distances.max(axis=1, keepdims=True)
        below.append(np.sort(np.where(inside, near.ids.astype(np.int64), -1), axis=1))
    return np.array_equal(below[0], below[1])


def same(data: Data, found: Hits | Near, expected: Hits | Near) -> bool:
    if isinstance(found, Hits):
        return isinstance(expected, Hits) and same_hits(found, expected)
    return isinstance(expected, Near) and same_near(data, found, expected)


def exact(data: Data, found: Hits | Near, size: int) -> bool:
    """Whether an answer is what faiss's exhaustive search gives for this radius or k."""
    return same(data, found, true_hits(data, size) if isinstance(found, Hits) else true_near(data, size))


def near_recall(data: Data, found: Near, expected: Near) -> float:
    """The share of the k that are as near as the true k-th; ids given twice count once."""
    near_enough = true_distances(data, found.ids) <= expected.distances[:, -1:]
    ids = np.sort(np.where(near_enough, found.ids.astype(np.int64), -1), axis=1)
    fresh = (ids >= 0) & (np.diff(ids, axis=1, prepend=-2) != 0)
    return float(fresh.mean())
