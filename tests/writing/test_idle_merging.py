"""Merges of an index that has changed much and is left alone for a moment."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.index import publishing
from hashindex.writing import merger, merging
from histories import KINDS, Model, check_same, step
from reference import codes_of

SHARE = merging.MOST_APART


@pytest.fixture(autouse=True)
def _scattered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    request.getfixturevalue("small")  # which would leave an idle index as it is
    monkeypatch.setattr(merging, "MOST_APART", SHARE)
    monkeypatch.setattr(publishing, "IDLE", 0.1)


def shape(index: HashIndex) -> tuple[int, int, int]:
    """Segments, removed rows, and codes of the tail."""
    snapshot = index._snapshot
    return len(snapshot.segments), sum(one.n_removed for one in snapshot.segments), snapshot.n_tail


def until(holds: Any, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(holds())


def test_an_idle_index_becomes_one_segment(index: HashIndex) -> None:
    codes = codes_of(0, 12_000)  # not as near in size as to be merged at once
    for begin, end in ((0, 10_000), (10_000, 11_990), (11_990, 12_000)):
        index.add(codes[begin:end])
        index.search(codes[:1], radius=2, method="multi-index")
    index.remove([3, 10_010, 11_999])
    assert shape(index) != (1, 0, 0)
    assert until(lambda: shape(index) == (1, 0, 0) and index._merging is None)
    assert "multi-index" in index._snapshot.segments[0].learned.states
    kept = np.delete(np.arange(len(codes)), [3, 10_010, 11_999])
    assert np.array_equal(index.ids(), kept)
    assert np.array_equal(index.get(kept), codes[kept])
    index.check()


def test_what_is_removed_goes_once(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    merges: list[int] = []

    def counted(*given: Any) -> Any:
        merges.append(1)
        return merging.merged(*given)

    monkeypatch.setattr(publishing, "merged", counted)
    index.add(codes_of(0, 100))
    index.remove(np.arange(20))
    index.add(codes_of(1, 20))  # a segment, so that somebody looks
    assert until(lambda: shape(index) == (1, 0, 0) and index._merging is None)
    time.sleep(0.3)
    assert merges == [1]


def test_one_segment_is_copied_without_what_was_removed(index: HashIndex) -> None:
    """A fifth of it: less than what is copied at once."""
    codes = codes_of(0, 100)
    index.add(codes)
    index.remove(np.arange(20))
    assert until(lambda: shape(index) == (1, 0, 0) and index._merging is None)
    assert np.array_equal(index.get(np.arange(20, 100)), codes[20:])


def test_a_small_share_stays_apart(index: HashIndex) -> None:
    index.add(codes_of(0, 300))
    index.add(codes_of(1, 20))
    index.add(codes_of(2, 3))
    before = index._snapshot
    assert index._merging is None
    time.sleep(0.3)
    assert index._snapshot is before


def test_who_writes_on_is_not_interrupted(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    largest: list[int] = []  # of the segments of each merge

    def noted(parts: Any, *given: Any) -> Any:
        largest.append(max(one.n_rows for one in parts))
        return merging.merged(parts, *given)

    monkeypatch.setattr(publishing, "merged", noted)
    monkeypatch.setattr(publishing, "IDLE", 1.0)
    index.add(codes_of(0, 1000))
    index.add(codes_of(1, 200))  # too few to be merged with the others for their size
    for _ in range(150):
        index.add(codes_of(2, 1))
        time.sleep(0.01)
    assert not any(n >= 1000 for n in largest)
    assert until(lambda: shape(index) == (1, 0, 0))
    assert largest[-1] == 1000
    assert len(index) == 1350


def test_who_waits_does_not_wait_for_idleness(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "IDLE", 60.0)
    index.add(codes_of(0, 100))
    index.add(codes_of(1, 20))
    start = time.monotonic()
    index._wait_for_merges()
    assert time.monotonic() - start < 20
    assert shape(index) == (1, 0, 0)


def test_closing_ends_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "IDLE", 60.0)
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 100))
        index.add(codes_of(1, 20))
        assert index._merging is not None
        start = time.monotonic()
    assert time.monotonic() - start < 5
    assert not any(one.name.startswith("hashindex") for one in threading.enumerate())
    with HashIndex.open(tmp_path / "store", 64) as index:
        assert len(index) == 120
        index.check()


def test_closing_does_not_wait_for_the_next_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "IDLE", 60.0)
    monkeypatch.setattr(merger, "LOOK", 0.5)
    least = 9.0
    for i in range(3):
        index = HashIndex.open(tmp_path / str(i), 64, sync="os")
        index.add(codes_of(0, 100))
        index.add(codes_of(1, 20))
        start = time.monotonic()
        index.close()
        least = min(least, time.monotonic() - start)
    assert least < 0.2


def test_neither_a_map_nor_a_batch_is_merged(tmp_path: Path) -> None:
    made = HashIndex(64)
    made.add(codes_of(0, 100))
    made.save(tmp_path / "file")
    mapped = HashIndex.load(tmp_path / "file", mmap=True)
    mapped.add(codes_of(1, 20))
    with HashIndex.open(tmp_path / "store", 64) as store, store.batch():
        store.add(codes_of(0, 100))
        store.add(codes_of(1, 20))
        time.sleep(0.3)
        for one in (mapped, store):
            assert len(one._snapshot.segments) == 2


@pytest.mark.parametrize("seed", range(4))
def test_any_history_beside_merges_of_all(index: HashIndex, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "IDLE", 0.0)
    rng, model = np.random.default_rng(seed), Model()
    for i in range(80):
        step(rng, index, model, (*KINDS, "clear") if i % 20 == 19 else KINDS)
        check_same(index, model, i=i)
    index._wait_for_merges()
    check_same(index, model)
    index.check()
    index.add(codes_of(0, 40), ids=np.arange(40) + 2**40)  # a segment, so that somebody looks
    index._wait_for_merges()
    assert not merging.is_scattered(index._snapshot)
