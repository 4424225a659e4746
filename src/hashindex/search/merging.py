"""One answer from the answers of several parts of an index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..matches import MISSING_DISTANCE, MISSING_ID, NearestMatches, RadiusMatches

DISTANCE_BITS = 17  # distances are at most 65,536


def merge_radius(parts: list[RadiusMatches], n_queries: int) -> RadiusMatches:
    """All matches of all parts, each query's ordered by (distance, id)."""
    filled = [part for part in parts if len(part.ids)]
    if not filled:
        nothing = np.empty(0, np.int64)
        return RadiusMatches(np.zeros(n_queries + 1, np.int64), nothing.astype(np.int32), nothing)
    if len(filled) == 1:
        return filled[0]
    queries = np.concatenate([np.repeat(np.arange(n_queries), np.diff(part.offsets)) for part in filled])
    distances = np.concatenate([part.distances for part in filled])
    ids = np.concatenate([part.ids for part in filled])
    offsets: NDArray[np.int64] = np.stack([part.offsets for part in filled]).sum(axis=0)
    id_bits = int(ids.max()).bit_length()
    if n_queries.bit_length() + DISTANCE_BITS + id_bits < 64:  # sorting integers is several times faster
        keys = np.sort((queries << DISTANCE_BITS | distances) << id_bits | ids)
        return RadiusMatches(offsets, *_split(keys, id_bits))
    order = np.lexsort((ids, distances, queries))
    return RadiusMatches(offsets, distances[order], ids[order])


def merge_nearest(parts: list[NearestMatches], n_queries: int, k: int) -> NearestMatches:
    """The k nearest of all parts, (n_queries, k), ordered by (distance, id), missing ones last."""
    if len(parts) == 1 and parts[0].ids.shape[1] == k:
        return parts[0]
    shape = (n_queries, k)
    none = NearestMatches(np.full(shape, MISSING_DISTANCE, np.int32), np.full(shape, MISSING_ID, np.int64))
    distances = np.concatenate([part.distances for part in [*parts, none]], axis=1)
    ids = np.concatenate([part.ids for part in [*parts, none]], axis=1)
    last = np.where(ids == MISSING_ID, np.iinfo(np.int64).max, ids)
    order = np.lexsort((last, distances))[:, :k]
    return NearestMatches(np.take_along_axis(distances, order, 1), np.take_along_axis(ids, order, 1))


def first_of_each(
    offsets: NDArray[np.int64], distances: NDArray[np.int32], found: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The first ``k`` of each query's matches as (n_queries, k), missing ones last."""
    counts = np.diff(offsets)
    places = np.arange(len(found)) - np.repeat(offsets[:-1], counts)
    queries, kept = np.repeat(np.arange(len(counts)), counts), places < k
    near = np.full((len(counts), k), MISSING_DISTANCE, np.int32)
    ids = np.full((len(counts), k), MISSING_ID, np.int64)
    near[queries[kept], places[kept]] = distances[kept]
    ids[queries[kept], places[kept]] = found[kept]
    return near, ids


def _split(keys: NDArray[np.int64], id_bits: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    distances = (keys >> id_bits & ((1 << DISTANCE_BITS) - 1)).astype(np.int32)
    return distances, keys & ((1 << id_bits) - 1)
