"""Searches that stop early, by name: enough is found, what is proven is exact, and nothing else changes the answer."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hashindex import ApproximateMatches, HashIndex, engines, pack
from hashindex.engines import Engine
from hashindex.writing import merging

N = 20_000


@pytest.fixture(autouse=True)
def _as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave segments as they are where nothing is changed: one of all has other clusters."""
    monkeypatch.setattr(merging, "MOST_APART", 1.0)


def clumped(n: int, n_bits: int, seed: int) -> NDArray[np.uint8]:
    """Codes around 60 centres, a few bits of each flipped."""
    centres = np.random.default_rng(n_bits).random((60, n_bits)) < 0.5
    rng = np.random.default_rng(seed)
    return pack((centres[rng.integers(0, 60, n)] ^ (rng.random((n, n_bits)) < 0.15)).astype(np.float32))


def filled(engine: Engine | str, n_bits: int) -> HashIndex:
    """Two segments of clusters and a tail, with removals."""
    index = HashIndex(n_bits, engine=engine)
    codes = clumped(N, n_bits, 1)
    for begin, end in ((0, 17_000), (17_000, 19_900), (19_900, N)):
        index.add(codes[begin:end])
    index.remove(np.arange(0, 9_000, 2))
    return index


def same(a: ApproximateMatches, b: ApproximateMatches) -> bool:
    pairs: list[tuple[Any, Any]] = [(a.distances, b.distances), (a.ids, b.ids), (a.proven, b.proven)]
    return all(np.array_equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("n_bits", [64, 100])
def test_enough_is_found_and_what_is_proven_is_exact(engine: Engine, n_bits: int) -> None:
    index, queries = filled(engine, n_bits), clumped(150, n_bits, 2)
    exact = index.search(queries, k=10)
    found = {}
    for recall in (0.5, 0.9, 0.99):
        near = index.search(queries, k=10, recall=recall, method="clusters")
        distances, ids = near
        found[recall] = (distances <= exact.distances[:, -1:]).mean()
        assert found[recall] >= recall - 0.02
        np.testing.assert_array_equal(distances[near.proven], exact.distances[near.proven])
        np.testing.assert_array_equal(ids[near.proven], exact.ids[near.proven])
        assert (np.diff(distances, axis=1) >= 0).all()
        assert (np.diff(np.sort(ids, axis=1), axis=1) > 0).all()
    assert found[0.5] < 1  # else nothing was left out
    itself = index.search(index.get(index.ids()[::99]), k=1, recall=0.5, method="clusters")
    assert (itself.distances[itself.proven] == 0).all()
    assert 0 < itself.proven.mean() < 1  # the bounds of a limit of 0 leave few clusters
    all_of_it = index.search(queries, k=10, recall=1, method="clusters")
    assert all_of_it.proven.all()
    np.testing.assert_array_equal(all_of_it.ids, exact.ids)


def test_the_answer_depends_on_the_codes_alone(engine: Engine) -> None:
    index, queries = filled(engine, 64), clumped(140, 64, 3)
    how: dict[str, Any] = {"k": 7, "recall": 0.8, "method": "clusters"}
    near = index.search(queries, **how, n_threads=1)
    assert same(near, filled("numpy", 64).search(queries, **how))
    assert same(near, index.search(queries, **how, n_threads=3))
    few = [index.search(queries[i : i + 5], **how) for i in range(0, 140, 5)]
    np.testing.assert_array_equal(near.ids, np.concatenate([part.ids for part in few]))
    np.testing.assert_array_equal(near.proven, np.concatenate([part.proven for part in few]))
    one = index.search(queries[3], **how)
    np.testing.assert_array_equal(one.ids, near.ids[3])
    assert one.proven.tolist() == [near.proven[3]]
    prepared = filled(engine, 64)
    prepared.prepare(7, recall=0.8)  # makes one segment, so other clusters
    again, exact = prepared.search(queries, **how), prepared.search(queries, k=7)
    assert (again.distances <= exact.distances[:, -1:]).mean() >= 0.78
    for other in (pickle.loads(pickle.dumps(near)), copy.copy(near), near._replace(ids=near.ids)):
        assert type(other) is ApproximateMatches
        assert same(other, near)


def uniform(n: int, seed: int) -> NDArray[np.uint8]:
    """Codes whose neighbours lie in many clusters."""
    return np.random.default_rng(seed).integers(0, 256, (n, 8), dtype=np.uint8)


def test_what_was_searched_before_changes_nothing(engine: Engine) -> None:
    """Plans outlive removals; how far to go does not."""
    how: dict[str, Any] = {"k": 10, "recall": 0.5, "method": "clusters"}
    index, fresh, queries = HashIndex(64, engine=engine), HashIndex(64, engine=engine), uniform(40, 2)
    for one in (index, fresh):
        one.add(uniform(N, 1))
    before = index.explain(queries, **how).steps
    for one in (index, fresh):
        one.remove(np.arange(0, N, 5))
    after = index.explain(queries, **how).steps
    assert len(before) == len(after) == 1
    assert after[0].lookups > before[0].lookups  # the nearest that are left lie farther away
    assert same(index.search(queries, **how), fresh.search(queries, **how))
    assert len(index._snapshot.plans) == 1  # those of before would keep what was removed before


def test_copies_tell_nothing_of_how_far_to_go(engine: Engine) -> None:
    index, queries = HashIndex(64, engine=engine), uniform(300, 2)
    index.add(np.concatenate([uniform(8_000, 1), uniform(8_000, 1), uniform(4_000, 3)]))
    assert index._snapshot.segments[0].postings is None  # else the copies are stored once
    exact = index.search(queries, k=1)
    near = index.search(queries, k=1, recall=0.8, method="clusters")
    assert (near.distances <= exact.distances).mean() >= 0.75


def test_there_are_k_where_there_are_so_many_codes(engine: Engine) -> None:
    index, queries = filled(engine, 64), clumped(20, 64, 4)
    near = index.search(queries, k=900, recall=0.01, method="clusters")  # more than the nearest cluster has
    assert (near.ids >= 0).all()
    assert (np.diff(np.sort(near.ids, axis=1), axis=1) > 0).all()
    some = index.ids()[::9]
    allowed = index.search(queries, k=5, recall=0.01, method="clusters", allow=some)  # exact: they may be unlike
    np.testing.assert_array_equal(allowed.ids, index.search(queries, k=5, allow=some).ids)
    assert allowed.proven.all()
    every = index.search(queries, k=len(index) + 2, recall=0.5, method="clusters")
    assert every.proven.all()
    assert (every.ids[:, -2:] == -1).all()


def test_where_nothing_stops_early_the_answer_is_exact(engine: Engine) -> None:
    index, queries = filled(engine, 64), clumped(20, 64, 5)
    exact = index.search(queries, k=5)
    for method in ("auto", "scan", "multi-index"):
        near = index.search(queries, k=5, recall=0.5, method=method)  # "auto": the segments are small
        assert near.proven.all()
        np.testing.assert_array_equal(near.ids, exact.ids)
    empty = HashIndex(64, engine=engine).search(queries, k=2, recall=0.5)
    assert empty.ids.tolist() == [[-1, -1]] * 20


def test_where_an_exact_answer_is_as_fast_it_is_given() -> None:
    """By what the codes tell: never by what was searched, or what this machine takes."""
    rng = np.random.default_rng(7)
    pairs = np.packbits(rng.random((2**16, 512)) < 0.04, axis=1)  # sparse, in no clumps, each with a neighbour
    codes = np.concatenate([pairs, pairs ^ np.packbits(rng.random((*pairs.shape, 8)) < 0.015, axis=2)[..., 0]])
    index, queries = HashIndex(512), pairs[::1000] ^ np.packbits(np.arange(512) < 1)
    index.add(codes)
    near = index.search(queries, k=2, recall=0.98)
    assert near.proven.all()
    np.testing.assert_array_equal(near.ids[:, 0], np.arange(0, 2**16, 1000))
    assert not index.search(queries, k=2, recall=0.98, method="clusters").proven.all()


def test_explain_tells_how_far() -> None:
    index, queries = filled(engines.load(), 64), clumped(100, 64, 6)
    lookups = [
        sum(step.lookups for step in index.explain(queries, k=10, recall=recall, method="clusters").steps)
        for recall in (0.5, 0.99, 1.0)
    ]
    assert lookups[0] < lookups[1] <= lookups[2]
    for step in index.explain(queries, k=10, recall=0.5, method="clusters").steps:
        assert 0.5 < step.predicted_lookups / step.lookups < 2


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"radius": 2, "recall": 0.9}, TypeError, "k= alone"),
        ({"k": 2, "radius": 2, "recall": 0.9}, TypeError, "k= alone"),
        ({"k": 2, "rescore": np.ones((1, 64)), "recall": 0.9}, TypeError, "k= alone"),
        ({"k": 2, "oversample": 2, "recall": 0.9}, TypeError, "k= alone"),
        ({"k": 2, "recall": np.complex64(0.5)}, TypeError, "number between 0 and 1"),
        ({"k": 2, "recall": 0}, ValueError, "above 0 and at most 1"),
        ({"k": 2, "recall": 98}, ValueError, "above 0 and at most 1"),
        ({"k": 2, "recall": float("nan")}, ValueError, "above 0 and at most 1"),
        ({"k": 2, "recall": True}, TypeError, "number between 0 and 1"),
        ({"k": 2, "recall": "0.9"}, TypeError, "number between 0 and 1"),
        ({"k": 2, "recall": np.timedelta64(1)}, TypeError, "number between 0 and 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], error: type, says: str) -> None:
    index = HashIndex(64)
    index.add(clumped(9, 64, 7))
    with pytest.raises(error, match=says):
        index.search(clumped(1, 64, 8), **options)
    if set(options) <= {"k", "radius", "recall"}:
        index.add(clumped(9, 64, 9))
        before = index._snapshot
        with pytest.raises(error, match=says):
            index.explain(clumped(1, 64, 8), **options)
        with pytest.raises(error, match=says):
            index.prepare(**options)
        assert index._snapshot is before
