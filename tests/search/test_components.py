"""Components and deduplication, against a walk over the matrix of distances and a greedy one by one."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

import reference
from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.index import METHODS
from hashindex.search.forest import Forest

Ints = NDArray[np.int64]


def components_of(near: NDArray[np.bool_]) -> Ints:
    """The smallest number that can be reached from each, given which are neighbours, (n, n)."""
    labels = np.full(len(near), -1)
    for start in range(len(near)):
        reached = [start] if labels[start] < 0 else []
        while reached:
            at = reached.pop()
            labels[at] = start
            reached += np.flatnonzero(near[at] & (labels < 0)).tolist()
    return labels


def first_of_each(near: NDArray[np.bool_]) -> list[int]:
    kept: list[int] = []
    for i in range(len(near)):
        if not near[i, kept].any():
            kept.append(i)
    return kept


def clustered(rng: np.random.Generator, n: int, n_bits: int) -> reference.Codes:
    """Noisy copies of five codes."""
    bits = (rng.random((5, n_bits)) < 0.5)[rng.integers(0, 5, n)] ^ (rng.random((n, n_bits)) < 1.5 / n_bits)
    return np.packbits(bits, axis=1)


def snake(n: int) -> reference.Codes:
    """Codes of 300 bits, each at distance 1 from the one before and the one after, and farther from all others."""
    rows = [[(x, 2 * y) for x in range(151)[:: 1 - y % 2 * 2]] + [(150 - y % 2 * 150, 2 * y + 1)] for y in range(75)]
    x, y = np.array([place for row in rows for place in row][:n]).T
    places = np.arange(150)
    return np.packbits(np.hstack([places < x[:, None], places < y[:, None]]), axis=1)


@pytest.mark.parametrize("n_bits", [7, 64, 256])
@pytest.mark.parametrize("kind", ["uniform", "clustered", "skewed", "duplicates", "equal"])
def test_groups_are_those_of_the_matrix(
    engine: Engine, kind: str, n_bits: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In small blocks, across segments with and without postings and the tail, with own ids, whatever was removed."""
    monkeypatch.setattr("hashindex.writing.adding.TAIL_CODES", 25)
    monkeypatch.setattr("hashindex.segments.segment.FEWEST_COLLAPSED", 8)
    monkeypatch.setattr("hashindex.search.blocks.BLOCK_HITS", 60)
    monkeypatch.setattr("hashindex.search.blocks.MOST_HITS", 240)
    monkeypatch.setattr("hashindex.search.components.SAMPLE", 3)
    codes = clustered(rng, 90, n_bits) if kind == "clustered" else reference.random_codes(rng, 90, n_bits, kind)
    ids = 7 * rng.permutation(1000)[:90]
    index = HashIndex(n_bits, engine=engine)
    for part in (slice(0, 60), slice(60, 80), slice(80, 90)):
        index.add(codes[part], ids=ids[part])
    gone = rng.permutation(90)[:9]
    for some in (range(90), np.delete(np.arange(90), gone)):
        order = np.array(some)[np.argsort(ids[some])]
        matrix = reference.hamming_matrix(codes[order], codes[order])
        for i, radius in enumerate((0, n_bits // 20 + 1, n_bits // 3, n_bits + 9)):
            method = METHODS[i % len(METHODS)]
            labels, kept = index.components(radius, method=method), index.deduplicate(radius, method=method)
            assert labels.dtype == kept.dtype == np.int64
            np.testing.assert_array_equal(labels, ids[order][components_of(matrix <= radius)])
            np.testing.assert_array_equal(kept, ids[order][first_of_each(matrix <= radius)])
        if len(order) == 90:
            index.remove(ids[gone])


def test_groups_of_nothing_and_of_one() -> None:
    for index in (HashIndex(), HashIndex(64)):
        assert index.components(3).tolist() == index.deduplicate(3).tolist() == []
        assert index.components(3).dtype == index.deduplicate(3).dtype == np.int64
    index.add(np.uint64(9), ids=[5])
    assert index.components(0).tolist() == index.deduplicate(99).tolist() == [5]
    with pytest.raises(ValueError, match="at least 0"):
        index.components(-1)
    with pytest.raises(ValueError, match="method 'best' is unknown"):
        index.deduplicate(1, method="best")  # type: ignore[arg-type]


def test_a_long_chain_is_one_component(rng: np.random.Generator) -> None:
    codes = snake(10_000)
    index = HashIndex(300)
    index.add(codes)
    assert not index.components(1).any()
    np.testing.assert_array_equal(index.deduplicate(1), np.arange(0, 10_000, 2))
    index.remove([5000])
    assert np.unique(index.components(1)).tolist() == [0, 5001]
    mixed = HashIndex(300)
    mixed.add(codes, ids=rng.permutation(10_000))
    assert not mixed.components(1, n_threads=2).any()


def test_equal_codes_cost_nothing(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """200,000 of them, stored once and not, beside noise: 2e10 pairs that nobody looks at."""
    monkeypatch.setattr("hashindex.writing.merging.GROWTH", 0)
    monkeypatch.setattr("hashindex.search.blocks.MOST_HITS", 2**17)
    noise = rng.integers(0, 2**63, 50_000, dtype=np.uint64)
    blank = np.zeros(120_000, np.uint64)
    index = HashIndex(64)
    for part in (blank, np.concatenate([blank[:40_000], noise]), blank[:30_000], blank[:10_000]):
        index.add(part)
    parts = index._snapshot.parts
    assert [part.postings is None for part in parts] == [False, True, False, True]
    tracemalloc.start()
    labels, kept = index.components(3), index.deduplicate(3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    is_noise = np.zeros(len(index), np.bool_)
    is_noise[160_000:210_000] = True
    assert not labels[~is_noise].any()
    np.testing.assert_array_equal(labels[is_noise], np.arange(160_000, 210_000))
    np.testing.assert_array_equal(kept, np.append(0, np.arange(160_000, 210_000)))
    assert peak < 60e6


@pytest.mark.parametrize("n_dense", [1, 3])
def test_large_components_of_different_codes_are_not_gone_through_pair_by_pair(
    n_dense: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside noise, and with one code half-way between two of them."""
    found: list[int] = []
    join = Forest.join

    def counted(forest: Forest, a: Ints, b: Ints) -> None:
        found.append(len(a))
        join(forest, a, b)

    monkeypatch.setattr(Forest, "join", counted)
    bits = rng.random((4000, 256)) < 0.02
    dense = np.arange(4000) % 4 < n_dense
    bits[~dense] = rng.random((np.count_nonzero(~dense), 256)) < 0.5
    for cluster in range(1, n_dense):
        bits[cluster::4, 80 * cluster - 80 : 80 * cluster] ^= True
    bits[0], bits[-1] = False, np.arange(256) < 40
    order = rng.permutation(4000)
    index = HashIndex(256)
    index.add(np.packbits(bits[order], axis=1))
    labels = np.empty(4000, np.int64)
    labels[order] = index.components(40)
    matrix = reference.hamming_matrix(np.packbits(bits[:60], axis=1), np.packbits(bits, axis=1))
    assert (labels[:60, None] == labels)[matrix <= 40].all()
    n_noise = np.count_nonzero(~dense) - 1
    assert len(np.unique(labels)) == n_noise + max(n_dense - 1, 1)
    assert sum(found) < 4000 * 120  # of 1,000,000 for each cluster


def test_two_large_sets_that_meet_in_one_pair_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the largest, both shown by the sample, and nothing between them but that pair."""
    monkeypatch.setattr("hashindex.search.components.SAMPLE", 4)
    flips = np.uint64(1) << np.arange(64, dtype=np.uint64)
    far = np.uint64(0xAAAAAAAAAAAAAAAA) ^ flips[:60]
    here, there = np.append(flips[5:34], np.uint64(0)), np.uint64(7) ^ np.append(flips[34:63], flips[0])
    index = HashIndex(64)
    index.add(np.concatenate([far, here, there]))
    assert index.components(2, method="scan").tolist() == [0] * 60 + [60] * 60
    index.remove([89])
    assert index.components(2, method="scan").tolist() == [0] * 60 + [60] * 29 + [90] * 30


def test_codes_that_share_a_hash_are_not_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashindex.segments.postings._hashes", lambda codes: np.zeros(len(codes), np.uint64))
    index = HashIndex(64)
    index.add(np.array([8, 3, 8, 0, 3], np.uint64))
    assert index.components(0).tolist() == [0, 1, 0, 3, 1]
    assert index.deduplicate(1).tolist() == [0, 1]


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_forest_joins_blocks_of_any_size(size: int, rng: np.random.Generator) -> None:
    """Random pairs, chains in either direction and in any order, and stars, one after the other."""
    n = 500
    up = np.arange(n - 1)
    shuffled = rng.permutation(n - 1)
    for a, b in (
        (rng.integers(0, n, 300), rng.integers(0, n, 300)),
        (up, up + 1),
        (up[::-1] + 1, up[::-1]),
        (shuffled, shuffled + 1),
        (up, np.full(n - 1, n - 1)),
        (rng.permutation(n), rng.permutation(n)),
    ):
        forest, near = Forest(n), np.eye(n, dtype=np.bool_)
        for begin in range(0, len(a), size):
            forest.join(a[begin : begin + size], b[begin : begin + size])
        near[a, b] = near[b, a] = True
        np.testing.assert_array_equal(forest.roots(np.arange(n)), components_of(near))
