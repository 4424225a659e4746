"""Answers of several parts become one in the order (distance, id), for ids of any size."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import reference
from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.matches import NearestMatches, RadiusMatches
from hashindex.search.merging import DISTANCE_BITS, merge_nearest, merge_radius

LARGEST = 2**63 - 2


def parts_with(rng: np.random.Generator, n_queries: int, largest: int) -> list[RadiusMatches]:
    """Three parts of matches at distances up to the widest code's, the largest id among them."""
    parts = []
    for part in range(3):
        counts = rng.integers(0, 4, n_queries)
        counts[-1] = 3
        offsets = np.concatenate([[0], np.cumsum(counts)])
        ids = rng.integers(max(0, largest - 2**20), largest, offsets[-1], endpoint=True)
        distances = rng.choice([0, 1, 2**DISTANCE_BITS // 2], offsets[-1]).astype(np.int32)
        if part == 1:
            ids[-1], distances[-1] = largest, 2**DISTANCE_BITS // 2
        queries = np.repeat(np.arange(n_queries), counts)
        order = np.lexsort((ids, distances, queries))
        parts.append(RadiusMatches(offsets, distances[order], ids[order]))
    return parts


@pytest.mark.parametrize("n_queries", [1, 2, 255, 256, 5000])
@pytest.mark.parametrize("beyond", [-2, -1, 0, 1, 2, 99])
def test_keys_that_would_not_fit_are_not_packed(n_queries: int, beyond: int, rng: np.random.Generator) -> None:
    """On both sides of the bound: a query's number, a distance and an id fit into 63 bits, or they do not."""
    id_bits = min(63 - DISTANCE_BITS - n_queries.bit_length() + beyond, 63)
    parts = parts_with(rng, n_queries, min(2**id_bits - 1, LARGEST))
    merged = merge_radius(parts, n_queries)
    queries = np.concatenate([np.repeat(np.arange(n_queries), np.diff(part.offsets)) for part in parts])
    distances, ids = (np.concatenate([getattr(part, name) for part in parts]) for name in ("distances", "ids"))
    order = np.lexsort((ids, distances, queries))
    np.testing.assert_array_equal(merged.ids, ids[order])
    np.testing.assert_array_equal(merged.distances, distances[order])
    np.testing.assert_array_equal(np.diff(merged.offsets), np.bincount(queries, minlength=n_queries))


def test_the_largest_ids_are_found_before_missing_ones() -> None:
    few = NearestMatches(np.array([[3]], np.int32), np.array([[LARGEST]]))
    more = NearestMatches(np.array([[3, 2**31 - 1]], np.int32), np.array([[LARGEST - 1, -1]]))
    near = merge_nearest([few, more], 1, 4)
    assert near.ids.tolist() == [[LARGEST - 1, LARGEST, -1, -1]]
    assert near.distances.tolist() == [[3, 3, 2**31 - 1, 2**31 - 1]]


@pytest.mark.parametrize("kind", ["uniform", "duplicates"])
def test_many_queries_of_several_parts_with_the_largest_ids(
    engine: Engine, kind: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashindex.writing.adding.TAIL_CODES", 60)
    monkeypatch.setattr("hashindex.segments.segment.FEWEST_COLLAPSED", 32)
    codes = reference.random_codes(rng, 200, 16, kind)
    ids: NDArray[np.int64] = LARGEST - np.sort(rng.choice(2**40, 200, replace=False))[::-1]
    ids[-1] = LARGEST
    order = rng.permutation(200)
    index = HashIndex(16, engine=engine)
    for some in np.array_split(order, [130, 160, 190]):  # parts that overlap in their ids
        index.add(codes[some], ids=ids[some])
    queries = reference.random_codes(rng, 700, 16, kind)
    offsets, distances, rows = reference.radius_search(codes, queries, 4)
    hits = index.search(queries, radius=4)
    np.testing.assert_array_equal(hits.offsets, offsets)
    np.testing.assert_array_equal(hits.distances, distances)
    np.testing.assert_array_equal(hits.ids, ids[rows])
    near = index.search(queries, k=20)
    expected = reference.nearest(codes, queries, 20)
    np.testing.assert_array_equal(near.distances, expected[0])
    np.testing.assert_array_equal(near.ids, ids[expected[1]])
