"""Adding, removing, ids, results and concurrency of one index."""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference
from hashindex import HashIndex, engines
from hashindex.engines import Engine
from hashindex.index import METHODS, Method


def codes_of(seed: int, n: int, n_bits: int = 64) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return reference.random_codes(np.random.default_rng(seed), n, n_bits, "uniform")


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


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "k=.*radius="),
        ({"k": 0}, ValueError, "at least 1"),
        ({"k": 2.0}, TypeError, "integer"),
        ({"k": True}, TypeError, "integer"),
        ({"radius": -1}, ValueError, "at least 0"),
        ({"radius": 2.5}, TypeError, "integer"),
        ({"radius": 2, "method": "mih"}, ValueError, "auto, scan, multi-index"),
        ({"radius": 2, "n_threads": 0}, ValueError, "at least 1"),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 4))
    with pytest.raises(error, match=message):
        index.search(codes_of(0, 1), **arguments)  # type: ignore[call-overload]


@pytest.mark.parametrize("n_bits", [0, -1, 65537, 1.5, "64", True])
def test_wrong_n_bits(n_bits: object) -> None:
    with pytest.raises((TypeError, ValueError), match="n_bits must be"):
        HashIndex(n_bits)  # type: ignore[arg-type]


@pytest.mark.parametrize("n_bits", [12, 64, 128])
@pytest.mark.parametrize("kind", ["uniform", "duplicates", "equal"])
def test_any_history_gives_the_answer_of_one_add(
    engine: Engine, n_bits: int, kind: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adds and removes of all sizes, ids in any order: segments, merges, tombstones and postings, all of them small."""
    monkeypatch.setattr("hashindex.snapshot.TAIL_CODES", 40)
    monkeypatch.setattr("hashindex.segment.FEWEST_COLLAPSED", 8)
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
    assert after.cache is segment.cache
    assert (index._snapshot.n_tail, len(index)) == (999, 50_997)
    assert index.search(codes_of(0, 8), radius=0).ids.tolist() == [0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(KeyError, match="id 7 is not in the index"):
        index.remove([7])
    index.remove(np.arange(20_000, 40_000))  # much: the segment is copied without them
    assert index._snapshot.segments[0].n_rows == 29_998
    assert len(index) == 30_997


@pytest.mark.parametrize("kind", ["uniform", "skewed", "duplicates", "equal"])
@pytest.mark.parametrize("method", METHODS)
def test_pairs_and_joins(
    engine: Engine, kind: str, method: Method, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pair once, in blocks, across segments and tail, whatever was removed."""
    monkeypatch.setattr("hashindex.snapshot.TAIL_CODES", 50)
    monkeypatch.setattr("hashindex.segment.FEWEST_COLLAPSED", 8)
    monkeypatch.setattr("hashindex.joining.BLOCK_PAIRS", 100)
    monkeypatch.setattr("hashindex.joining.MOST_PAIRS", 400)
    codes, index = reference.random_codes(rng, 160, 24, kind), HashIndex(24, engine=engine)
    index.add(codes[:120])
    index.add(codes[120:])
    index.search(codes[:1], radius=0, method="multi-index")
    gone = [3, 77, 119, 120, 159]
    index.remove(gone)
    kept = [i for i in range(160) if i not in gone]
    matrix = reference.hamming_matrix(codes, codes)
    for radius in (0, 3, 99):
        found = [pair for block in index.pairs(radius, method=method) for pair in zip(*block, strict=True)]
        expected = {(a, b, matrix[a, b]) for a in kept for b in kept if a < b and matrix[a, b] <= radius}
        assert len(found) == len(expected)
        assert set(found) == expected
        others, other = reference.random_codes(rng, 30, 24, kind), HashIndex(24, engine=engine)
        between = reference.hamming_matrix(codes, others)
        other.add(others, ids=np.arange(1000, 1030))
        for target, first in ((others, 0), (other, 1000)):
            blocks = index.join(target, radius, method=method)
            found = [pair for block in blocks for pair in zip(*block, strict=True)]
            expected = {(a, b + first, between[a, b]) for a in kept for b in range(30) if between[a, b] <= radius}
            assert len(found) == len(expected)
            assert set(found) == expected


def test_pairs_and_joins_of_nothing() -> None:
    assert list(HashIndex().pairs(3)) == list(HashIndex(64).pairs(3)) == []
    assert list(HashIndex(64).join(codes_of(0, 3), 3)) == []
    index = HashIndex(64)
    index.add(codes_of(0, 3))
    assert list(index.join(codes_of(0, 0), 3)) == list(index.join(HashIndex(), 3)) == []
    with pytest.raises(ValueError, match="64 bits cannot be joined with one of 32"):
        index.join(HashIndex(32), 3)
    with pytest.raises(ValueError, match="at least 0"):
        index.pairs(-1)


def test_blocks_of_pairs_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal codes after a long run of others that let the blocks grow, with tables, without, and stored once."""
    monkeypatch.setattr("hashindex.joining.BLOCK_PAIRS", 1000)
    monkeypatch.setattr("hashindex.joining.MOST_PAIRS", 4000)
    codes = np.concatenate([codes_of(0, 1500), np.zeros((500, 8), np.uint8)])
    index = HashIndex(64, engine=engine)
    index.add(codes)
    for method in METHODS if engine.name != "numpy" else METHODS[:2]:
        sizes = [len(block.ids_a) for block in index.pairs(0, method=method)]
        assert sum(sizes) == 500 * 499 // 2
        assert max(sizes) <= 4000
    sizes = [len(block.ids_a) for block in index.join(codes, 0, method="scan")]
    assert sum(sizes) == 500 * 500 + 1500
    assert max(sizes) <= 4000
    collapsed = HashIndex(64, engine=engine)
    collapsed.add(np.zeros((20_000, 8), np.uint8))
    assert max(len(block.ids_a) for block in collapsed.join(codes[1490:], 0)) <= 20_000


def test_an_engine_must_be_one() -> None:
    with pytest.raises(TypeError, match="engine must be one of native, numba, numpy or an Engine, got 0"):
        HashIndex(8, engine=0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kept", ["{", "[]", '{"lookup": 3.0}', '{"lookup": [3.0]}', '{"lookup": [1e308, 1e308]}', "null"]
)
def test_wrong_kept_costs_are_measured_anew(kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hashindex import calibration, machine

    engine = engines.load()
    file = tmp_path / "costs.json"
    key = f"{calibration.VERSION}: {machine.processor()}, {engine.description}"
    file.write_text(f'{{"{key}": {kept}}}')
    monkeypatch.setenv("HASHINDEX_CACHE", str(tmp_path))
    monkeypatch.setattr(calibration, "_known", {})
    monkeypatch.setattr(calibration, "measure", lambda _: calibration.Costs(call=123.0))
    assert calibration.costs(engine).call == 123.0
    monkeypatch.setattr(calibration, "_known", {})
    monkeypatch.setattr(calibration, "measure", lambda _: calibration.Costs(call=456.0))
    assert calibration.costs(engine).call == 123.0  # kept
    file.unlink()
    file.mkdir()
    monkeypatch.setattr(calibration, "_known", {})
    assert calibration.costs(engine).call == 456.0
    assert list(tmp_path.iterdir()) == [file]  # nothing half-written stays


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
    assert index._snapshot.segments[0].cache.tables is not None
    for truth, found in zip(index.search(queries, radius=2, method="scan"), hits, strict=True):
        np.testing.assert_array_equal(found, truth)


@pytest.mark.parametrize("method", METHODS[1:])
def test_searches_see_one_state_while_another_thread_writes(engine: Engine, method: Method) -> None:
    """Blocks of ten equal codes come and go: every search must see whole blocks."""
    code = codes_of(0, 1)
    index = HashIndex(64, engine=engine)
    index.add(np.repeat(code, 10, axis=0))
    index.search(code, radius=0, method=method, n_threads=2)
    done = threading.Event()
    seen: list[int] = []
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                hits = index.search(code, radius=0, method=method, n_threads=2)
                seen.append(len(hits.ids))
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(25):
            ids = index.add(np.repeat(code, 10, axis=0))
            index.remove(ids[:10])
            index.add(np.repeat(code, 10, axis=0))
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not failures
    assert seen
    assert all(n % 10 == 0 for n in seen)
    assert len(index) == 260


def in_child(work: Callable[[], bool]) -> bool:
    """What ``work`` returns in a forked child; False if the child fails or hangs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads and fork: the point here
        child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            status = 0 if work() else 1
        os._exit(status)
    for _ in range(300):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
def test_search_after_fork(engine: Engine) -> None:
    codes = codes_of(0, 40_000)
    index = HashIndex(64, engine=engine)
    index.add(codes)
    expected = index.search(codes[:200], k=3, n_threads=3)
    assert in_child(lambda: bool((index.search(codes[:200], k=3, n_threads=3).ids == expected.ids).all()))


@needs_fork
def test_a_child_forked_amid_a_write_may_write() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 20_000))

    def write() -> bool:
        ids = index.add(codes_of(1, 1)).tolist()
        return ids == [20_000] and len(index.search(codes_of(1, 1), radius=0, method="multi-index").ids) == 1

    with index._writing, index._snapshot.segments[0].cache.lock:  # as if another thread were adding and building tables
        assert in_child(write)


def test_the_gil_is_released() -> None:
    native = pytest.importorskip("hashindex.engines.native")
    codes = codes_of(0, 1_000_000)
    index = HashIndex(64, engine=native.NativeEngine("scalar"))
    index.add(codes)
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            time.sleep(0.001)
            ticks += 1

    clock = threading.Thread(target=tick)
    clock.start()
    before = ticks
    index.search(codes_of(1, 256), k=1, n_threads=1)  # some tenths of a second in one call
    during = ticks - before
    done.set()
    clock.join()
    assert during >= 3
