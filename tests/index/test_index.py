"""Adding, removing, ids and results of one index."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import reference
from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.index import METHODS
from reference import codes_of


def test_ids_count_up_and_are_never_reused() -> None:
    index = HashIndex(64)
    assert index.add(codes_of(0, 3)).tolist() == [0, 1, 2]
    assert index.remove([2, 0]) == 2
    assert index.add(codes_of(1, 2)).tolist() == [3, 4]
    assert index.add(codes_of(2, 1), ids=[100]).tolist() == [100]
    assert index.add(codes_of(3, 1)).tolist() == [101]
    assert index.search(codes_of(0, 3), radius=0).ids.tolist() == [1]
    assert len(index) == 5


def test_own_ids_in_any_order_settle_ties() -> None:
    same = np.repeat(codes_of(0, 1), 6, axis=0)
    index = HashIndex(64)
    index.add(same[:3], ids=[50, 7, 20])
    index.add(same[3:5], ids=[60, 8])
    index.add(same[5:], ids=np.array([2**62], np.uint64))
    for method in METHODS[1:]:
        assert index.search(same[0], radius=0, method=method).ids.tolist() == [7, 8, 20, 50, 60, 2**62]
        assert index.search(same[0], k=2, method=method).ids.tolist() == [7, 8]


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([5, 5], ValueError, "id 5 is given twice"),
        ([9, 1], ValueError, "id 1 is already in the index"),
        ([-1, 9], ValueError, "negative"),
        ([1.5, 2.0], TypeError, "integers"),
        ([True, False], TypeError, "integers"),
        ([9], ValueError, "got 1 ids for 2 codes"),
        (np.array([2**63, 9], np.uint64), ValueError, "below 2"),
        ([2**64, 9], ValueError, f"below 2.*63, got {2**64}"),
        ([2**63 - 1, 9], ValueError, "at most"),
    ],
)
def test_wrong_ids_add_nothing(ids: Any, error: type[Exception], message: str) -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 3))
    with pytest.raises(error, match=message):
        index.add(codes_of(1, 2), ids=ids)
    assert len(index) == 3
    assert index.add(codes_of(1, 2)).tolist() == [3, 4]


def test_removing_an_unknown_id_removes_nothing() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 3))
    with pytest.raises(KeyError, match="id 7 is not in the index"):
        index.remove([1, 7])
    assert len(index) == 3
    assert index.remove([]) == 0


def test_n_bits_is_inferred_once() -> None:
    index = HashIndex()
    assert repr(index).startswith("HashIndex(n_bits=None, n_codes=0")
    assert index.search(codes_of(0, 2), k=3).ids.tolist() == [[-1] * 3] * 2
    index.add(codes_of(0, 2, 48))
    assert (index.n_bits, index.code_size) == (48, 6)
    with pytest.raises(ValueError, match="expected"):
        index.add(codes_of(0, 2, 64))


def test_empty_everything(engine: Engine) -> None:
    index = HashIndex(64, engine=engine)
    nobody = np.empty((0, 8), np.uint8)
    for _ in range(2):
        for method in METHODS:
            hits = index.search(nobody, radius=3, method=method)
            assert (hits.offsets.tolist(), len(hits.distances), len(hits.ids)) == ([0], 0, 0)
            assert index.search(nobody, k=3, method=method).ids.shape == (0, 3)
        assert index.add(nobody).shape == (0,)
        index.add(codes_of(0, 1))
    index.remove(np.arange(2))
    assert index.search(codes_of(0, 1), k=2).ids.tolist() == [[-1, -1]]
    assert index.search(codes_of(0, 1), radius=64).offsets.tolist() == [0, 0]


def test_shapes_of_one_query() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 4))
    query = codes_of(0, 4)[2]
    near = index.search(query, k=6)
    assert near.ids.shape == near.distances.shape == (6,)
    assert near.n_queries == 1
    assert near.ids[0] == 2
    assert (near.ids[4:] == -1).all()
    assert (near.distances[4:] == 2**31 - 1).all()
    assert near.row(0).ids.tolist() == near.ids[:4].tolist()
    offsets, distances, ids = index.search(query, radius=0)
    assert (offsets.tolist(), distances.tolist(), ids.tolist()) == ([0, 1], [0], [2])
    with pytest.raises(IndexError, match="row 1 of 1"):
        near.row(1)


@pytest.mark.parametrize("n_bits", [12, 64, 128])
@pytest.mark.parametrize("kind", ["uniform", "duplicates", "equal"])
def test_any_history_gives_the_answer_of_one_add(
    engine: Engine, n_bits: int, kind: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adds and removes of all sizes, ids in any order: segments, merges, tombstones and postings, all of them small."""
    monkeypatch.setattr("hashindex.writing.adding.TAIL_CODES", 40)
    monkeypatch.setattr("hashindex.segments.segment.FEWEST_COLLAPSED", 8)
    index, free = HashIndex(n_bits, engine=engine), rng.permutation(5000)
    codes, ids = reference.random_codes(rng, 0, n_bits, kind), np.empty(0, np.int64)
    for step in range(12):
        n = int(rng.integers(0, 90))
        new, free = free[:n], free[n:]
        more = reference.random_codes(rng, n, n_bits, kind)
        index.add(more, ids=new)
        codes, ids = np.concatenate([codes, more]), np.concatenate([ids, new])
        if step % 3 == 2:
            gone = rng.choice(ids, int(rng.integers(0, 60)), replace=False)
            assert index.remove(gone) == len(gone)
            kept = np.isin(ids, gone, invert=True)
            codes, ids = codes[kept], ids[kept]
        order = np.argsort(ids)
        codes, ids = codes[order], ids[order]
        assert len(index) == len(ids)
        queries = reference.random_codes(rng, 3, n_bits, kind)
        expected = HashIndex(n_bits, engine="numpy")
        expected.add(codes, ids=ids)
        twin = pickle.loads(pickle.dumps(index)) if step == 11 and engine.name == "native" else index
        for method in METHODS:
            for radius in (0, 2, n_bits // 3, n_bits):
                found = twin.search(queries, radius=radius, method=method)
                truth = reference.radius_search(codes, queries, radius)
                np.testing.assert_array_equal(found.offsets, truth[0])
                np.testing.assert_array_equal(found.distances, truth[1])
                np.testing.assert_array_equal(found.ids, ids[truth[2]])
            for k in (1, 6, len(ids) + 2):
                near, nearest = twin.search(queries, k, method=method), reference.nearest(codes, queries, k)
                np.testing.assert_array_equal(near.distances, nearest[0])
                np.testing.assert_array_equal(near.ids, np.where(nearest[1] < 0, -1, ids[nearest[1]]))
    assert len(index._snapshot.segments) > 0


def test_adding_does_not_touch_what_is_there() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 50_000))
    index.search(codes_of(1, 1), radius=2, method="multi-index")
    (segment,) = index._snapshot.segments
    ids = index.add(codes_of(2, 1000))
    index.remove([7, 8, int(ids[3])])
    (after,) = index._snapshot.segments
    assert after.codes is segment.codes
    assert after.learned is segment.learned
    assert (index._snapshot.n_tail, len(index)) == (999, 50_997)
    assert index.search(codes_of(0, 8), radius=0).ids.tolist() == [0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(KeyError, match="id 7 is not in the index"):
        index.remove([7])
    index.remove(np.arange(20_000, 40_000))  # much: the segment is copied without them
    assert index._snapshot.segments[0].n_rows == 29_998
    assert len(index) == 30_997


def test_explain_tells_what_was_done() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 50_000))
    index.add(codes_of(1, 100))
    told = index.explain(codes_of(2, 10), radius=3, method="multi-index")
    assert (told.n_queries, told.n_codes, len(told.steps)) == (10, 50_100, 2)
    segment, tail = told.steps
    assert (segment.part, segment.method, tail.part, tail.n_codes) == ("segment 0", "multi-index", "tail", 100)
    assert segment.lookups == round(segment.predicted_lookups) > 0
    assert 0 < segment.candidates < 10 * 50_000
    assert segment.seconds > 0
    assert 12 < told.bytes_per_code < 80
    scanned = index.explain(codes_of(2, 10), k=3, method="scan").steps[0]
    assert (scanned.method, scanned.candidates, scanned.lookups) == ("scan", 500_000, 0)
    assert "segment 0" in str(told)
    assert "predicted -> measured" in str(told)


def test_copies_share_nothing() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 3))
    index.add(codes_of(1, 1))  # leaves room in the buffer
    for seed, twin in enumerate((copy.copy(index), copy.deepcopy(index), pickle.loads(pickle.dumps(index)))):
        theirs, ours = codes_of(10 + seed, 1), codes_of(20 + seed, 1)
        twin.add(theirs)
        index.add(ours)
        assert index.search(ours, radius=0).ids.tolist() == [len(index) - 1]
        assert twin.search(theirs, radius=0).ids.tolist() == [len(twin) - 1]
        assert index.search(theirs, radius=0).ids.tolist() == []


def test_the_callers_array_is_copied() -> None:
    codes = codes_of(0, 3)
    index = HashIndex(64)
    index.add(codes)
    before = codes.copy()
    codes[:] = 0
    assert index.search(before, radius=0).ids.tolist() == [0, 1, 2]


def test_auto_builds_tables_when_they_pay() -> None:
    """The planner may choose; the answer may not change."""
    codes = codes_of(0, 60_000)
    index = HashIndex(64)
    index.add(codes)
    queries = codes[:500]
    for _ in range(30):
        hits = index.search(queries, radius=2)
        assert (hits.row(7).ids[0], hits.row(7).distances[0]) == (7, 0)
    assert "multi-index" in index._snapshot.segments[0].learned.states
    for truth, found in zip(index.search(queries, radius=2, method="scan"), hits, strict=True):
        np.testing.assert_array_equal(found, truth)


def test_codes_come_back_by_id(engine: Engine) -> None:
    """From the tail, from segments, from equal codes stored once; after removals and replacements."""
    rng = np.random.default_rng(0)
    index, model = HashIndex(72, engine=engine), dict[int, bytes]()
    few = rng.integers(0, 256, (40, 9), dtype=np.uint8)
    for codes, ids in (
        (few[rng.integers(0, 40, 20_000)], rng.permutation(20_000) * 2),
        (rng.integers(0, 256, (30_000, 9), dtype=np.uint8), np.arange(30_000) * 2 + 1),
        (rng.integers(0, 256, (50, 9), dtype=np.uint8), np.arange(50) * 2 + 200_000),
    ):
        index.add(codes, ids=ids)
        model |= {int(one): code.tobytes() for one, code in zip(ids, codes, strict=True)}
    gone = rng.permutation(np.array(sorted(model)))[:500]
    assert index.remove(gone.tolist()) == 500
    assert index.remove(np.append(gone, 7_777_777), missing="ignore") == 0
    other = np.setdiff1d(rng.permutation(np.array(sorted(model)))[:300], gone)
    index.replace(other, few[other % 40])
    index.add(few[:2], ids=[int(other[0]), 500_001], on_duplicate="replace")
    for one in gone:
        del model[int(one)]
    model |= {int(one): few[one % 40].tobytes() for one in other} | {int(other[0]): few[0].tobytes()}
    model[500_001] = few[1].tobytes()
    assert index.ids().tolist() == sorted(model)
    asked = rng.choice(np.array(sorted(model)), 1000)
    assert [code.tobytes() for code in index.get(asked)] == [model[int(one)] for one in asked]
    assert index.get(int(asked[0])).tobytes() == model[int(asked[0])]
    assert asked[0] in index
    assert not any(one in index for one in (int(gone[0]), -1, 2**70, "7", None, 0.5))
    before = len(index)
    for call in (
        lambda: index.get([int(asked[0]), int(gone[0])]),
        lambda: index.replace([int(gone[0])], few[:1]),
        lambda: index.remove(gone),
    ):
        with pytest.raises(KeyError, match="is not in the index"):
            call()
    with pytest.raises(ValueError, match="given twice"):
        index.add(few[:2], ids=[3, 3], on_duplicate="replace")
    assert len(index) == before == len(model)
    index.clear()
    assert (len(index), index.n_bits, index.ids().tolist()) == (0, 72, [])
    assert index.add(few[:1]).tolist() == [500_002]
