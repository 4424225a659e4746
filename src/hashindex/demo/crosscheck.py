"""Compare every answer with faiss ``IndexBinaryFlat``: each distance and id of each query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from .. import HashIndex, NearestMatches, RadiusMatches
from ..index import Method
from .result import Check

Codes = NDArray[np.uint8]


class Expected(NamedTuple):
    """The answers that every engine and method must give to the same queries."""

    radius: int
    k: int
    hits: RadiusMatches
    near: NearestMatches


def faiss_answers(codes: Codes, queries: Codes, radius: int, k: int) -> Expected:
    """The answers of faiss in hashindex's order (distance, id).

    ``codes`` (n, code_size) and ``queries`` (n_queries, code_size) are packed uint8; ids are rows of
    ``codes``; ``k <= n``. faiss breaks ties its own way, also where ``search(k)`` cuts them off, so the
    nearest are taken from the distances of all codes.
    """
    code_size = codes.shape[1]
    index = faiss.IndexBinaryFlat(8 * code_size)
    index.add(codes)
    distances = np.empty((len(queries), k), np.int32)
    ids = np.empty((len(queries), k), np.int64)
    for row, query in enumerate(queries):  # one at a time: all distances of all queries would not be small
        everything = _ball(index, query[np.newaxis], 8 * code_size)
        if len(everything.ids) != len(codes):
            raise RuntimeError(f"faiss gave {len(everything.ids)} of {len(codes)} distances")
        distances[row], ids[row] = everything.distances[:k], everything.ids[:k]
    return Expected(radius, k, _ball(index, queries, radius), NearestMatches(distances, ids))


def check(index: HashIndex, queries: Codes, expected: Expected, method: Method, n_threads: int) -> Check:
    """Search by ``method`` and count the queries whose answer differs in any distance, id or length."""
    hits = index.search(queries, radius=expected.radius, method=method, n_threads=n_threads)
    near = index.search(queries, k=expected.k, method=method, n_threads=n_threads)
    return Check(
        engine=index.engine_name,
        method=method,
        n_queries=len(queries),
        n_radius_differing=_n_differing(_rows(hits), _rows(expected.hits)),
        n_nearest_differing=_n_differing(_rows(near), _rows(expected.near)),
    )


def _ball(index: faiss.IndexBinaryFlat, queries: Codes, radius: int) -> RadiusMatches:
    """All codes within ``radius``; faiss's own is strict, has float32 distances and unordered rows."""
    limits, distances, ids = index.range_search(queries, radius + 1)
    offsets = limits.astype(np.int64)
    row = np.repeat(np.arange(len(queries)), np.diff(offsets))
    order = np.lexsort((ids, distances, row))
    return RadiusMatches(offsets, distances[order].astype(np.int32), ids[order].astype(np.int64))


def _rows(matches: RadiusMatches | NearestMatches) -> list[NDArray[np.int64]]:
    """One (2, n) array of distances over ids per query."""
    if isinstance(matches, NearestMatches):
        return list(np.stack([matches.distances.astype(np.int64), matches.ids], axis=1))
    both = np.stack([matches.distances.astype(np.int64), matches.ids])
    return np.split(both, matches.offsets[1:-1], axis=1)


def _n_differing(rows: Sequence[NDArray[np.int64]], expected: Sequence[NDArray[np.int64]]) -> int:
    if len(rows) != len(expected):
        return len(expected)
    return sum(not np.array_equal(row, truth) for row, truth in zip(rows, expected, strict=True))
