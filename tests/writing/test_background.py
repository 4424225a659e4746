"""Merges in the background: nothing is lost or found twice, nobody waits for one, and a failure is told."""

from __future__ import annotations

import errno
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forks import in_child
from hashindex import HashIndex
from hashindex.index import publishing
from hashindex.store import durable
from hashindex.writing import merging
from histories import KINDS, Model, check_same, content, step
from reference import Codes, codes_of

pytestmark = pytest.mark.usefixtures("small")


class Gate:
    """Holds the merges at a step that is put in the place of one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, real: Any = merging.merged) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self.real = real
        self.failure: BaseException | None = None
        monkeypatch.setattr(publishing, "merged", self)

    def __call__(self, *arguments: Any) -> Any:
        segment = self.real(*arguments)
        self.reached.set()
        assert self.open.wait(20)
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        return segment


def two_segments(index: HashIndex) -> Codes:
    """Add two large segments, which are merged."""
    codes = codes_of(0, 60)
    index.add(codes[:30])
    index.add(codes[30:])
    return codes


@pytest.mark.parametrize("seed", range(4))
def test_any_history_with_merges(index: HashIndex, seed: int) -> None:
    rng, model = np.random.default_rng(seed), Model()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for i in range(80):
            step(rng, index, model, (*KINDS, "clear") if i % 20 == 19 else KINDS)
            check_same(index, model, i=i)
    finally:
        sys.setswitchinterval(interval)
    index._wait_for_merges()
    check_same(index, model)
    index.check()
    assert not merging.due(index._snapshot.segments)
    if index._store is not None:
        with HashIndex.open(index._store.folder, mode="r") as reader:
            assert content(reader) == model


def test_a_change_during_a_merge_counts(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    codes = two_segments(index)
    assert gate.reached.wait(20)
    model = dict(enumerate(map(bytes, codes)))
    assert len(index._snapshot.segments) == 2
    index.remove([3, 31, 40])
    index.remove(7)
    index.replace([8], codes_of(1, 1))
    more = index.add(codes_of(2, 5)).tolist()
    for one in (3, 31, 40, 7):
        del model[one]
    model[8] = bytes(codes_of(1, 1)[0])
    model |= zip(more, map(bytes, codes_of(2, 5)), strict=True)
    check_same(index, model)
    gate.open.set()
    index._wait_for_merges()
    assert [(one.n_rows, one.n_removed) for one in index._snapshot.segments] == [(60, 5)]
    check_same(index, model)
    index.check()


def test_a_merge_of_what_is_gone_is_dropped(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    two_segments(index)
    assert gate.reached.wait(20)
    index.clear()
    ids = index.add(codes_of(3, 40))
    gate.open.set()
    index._wait_for_merges()
    assert index.ids().tolist() == ids.tolist()
    index.check()
    if index._store is not None:
        assert len(list((index._store.folder / "segments").iterdir())) == 1


@pytest.mark.parametrize("change", ["add", "compact", "prepare"])
def test_a_failed_merge_is_told_by_the_next_change_and_tried_again(
    index: HashIndex, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    gate = Gate(monkeypatch)
    gate.failure = OSError(errno.ENOSPC, "No space left on device", "a file")
    gate.failure.__context__ = ValueError("raised before it")
    gate.open.set()
    codes = two_segments(index)
    index._wait_for_merges()
    assert index._merging is not None
    failure = index._merging.failure
    assert failure is not None
    assert (failure.__traceback__, failure.__context__) == (None, None)  # which would hold the segments
    call: Any = {"add": lambda: index.add(codes_of(1, 1)), "compact": index.compact, "prepare": index.prepare}[change]
    with pytest.raises(OSError, match="merging segments in the background failed; nothing was lost.*No space") as told:
        call()
    assert (told.value.errno, told.value.filename) == (errno.ENOSPC, "a file")
    assert content(index) == dict(enumerate(map(bytes, codes)))
    index._wait_for_merges()
    index.remove(0)
    index._wait_for_merges()
    assert len(index._snapshot.segments) == 1
    index.check()


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _: Any) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with HashIndex.open(tmp_path / "store", 64, sync="os") as index:
        gate = Gate(monkeypatch)
        two_segments(index)
        assert gate.reached.wait(20)
        monkeypatch.setattr(durable, "write_segment", full)
        gate.open.set()
        index._wait_for_merges()
        monkeypatch.undo()
        assert len(list((tmp_path / "store" / "segments").iterdir())) == 2
        with pytest.raises(OSError, match="No space"):
            index.remove(0)
        index.check()


def test_closing_waits_for_a_merge_and_drops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    index = HashIndex.open(tmp_path / "store", 64)
    two_segments(index)
    assert gate.reached.wait(20)
    threading.Timer(0.2, gate.open.set).start()
    begin = time.perf_counter()
    index.close()
    assert time.perf_counter() - begin > 0.1
    assert len(list((tmp_path / "store" / "segments").iterdir())) == 2
    monkeypatch.undo()
    with HashIndex.open(tmp_path / "store") as index:
        assert len(index) == 60


def test_who_adds_waits_above_a_bound(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "MOST_SEGMENTS", 4)
    gate = Gate(monkeypatch)
    for seed in range(5):
        index.add(codes_of(seed, 30))
    late = threading.Thread(target=lambda: index.add(codes_of(9, 30)))
    late.start()
    late.join(0.3)
    assert late.is_alive()
    assert index.search(codes_of(1, 1), k=1).distances[0, 0] == 0  # searches do not
    gate.open.set()
    late.join(20)
    assert len(index) == 180
    index._wait_for_merges()
    index.check()


def test_a_batch_does_not_wait_for_merges(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "MOST_SEGMENTS", 4)
    batch = index.batch()
    batch.__enter__()
    for seed in range(12):
        index.add(codes_of(seed, 30))
    assert len(index._snapshot.segments) == 12
    batch.__exit__(ValueError, ValueError(), None)
    assert len(index) == 0
    with index.batch():
        for seed in range(12):
            index.add(codes_of(seed, 30))
        assert len(index._snapshot.segments) == 12
    index._wait_for_merges()
    assert len(index._snapshot.segments) < 4
    assert len(index) == 360
    index.check()


def test_structures_are_built_before_a_merge_is_seen(index: HashIndex) -> None:
    index.add(codes_of(0, 3000))
    index.search(codes_of(1, 1), radius=2, method="multi-index")
    index.add(codes_of(1, 2000))
    index._wait_for_merges()
    (segment,) = index._snapshot.segments
    assert "multi-index" in segment.learned.states


def test_a_large_segment_is_copied_in_the_background(index: HashIndex) -> None:
    index.add(codes_of(0, 12_000))
    index.search(codes_of(1, 1), radius=2, method="multi-index")
    index.remove(np.arange(5000))
    index._wait_for_merges()
    (segment,) = index._snapshot.segments
    assert (segment.n_rows, segment.n_removed) == (7000, 0)
    assert "multi-index" in segment.learned.states
    assert index.ids().tolist() == list(range(5000, 12_000))


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")
def test_a_child_of_a_fork_merges_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    index = HashIndex(64)
    two_segments(index)
    assert gate.reached.wait(20)

    def child() -> bool:
        gate.open.set()
        index.add(codes_of(5, 30))
        index._wait_for_merges()
        return len(index._snapshot.segments) == 1 and len(index) == 90

    try:
        assert in_child(child)
    finally:
        gate.open.set()
    index._wait_for_merges()
    assert len(index._snapshot.segments) == 1


def test_a_merge_that_never_succeeds_stops_no_change(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publishing, "merged", full)
    two_segments(index)
    index._wait_for_merges()
    for one in range(3):
        with pytest.raises(OSError, match="call again"):
            index.remove(one)
        index.remove(one)
        index._wait_for_merges()
    assert len(index) == 57


def test_a_batch_prepares_while_a_merge_waits_for_it(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    two_segments(index)
    assert gate.reached.wait(20)
    with index.batch():
        gate.open.set()
        index.prepare(radius=2)
    index._wait_for_merges()
    assert len(index) == 60
    index.check()


def test_closing_within_a_change_is_refused(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closing:
        def __array__(self, *_: Any) -> Any:
            index.close()

    gate = Gate(monkeypatch)
    two_segments(index)
    assert gate.reached.wait(20)
    with pytest.raises((RuntimeError, TypeError), match="this thread is changing the index"):
        index.add(Closing())
    gate.open.set()
    index.add(codes_of(1, 3))


def test_ctrl_c_while_a_merger_starts_leaves_one_that_is_known(
    index: HashIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise KeyboardInterrupt

    gate = Gate(monkeypatch)
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        two_segments(index)
    monkeypatch.setattr(threading.Thread, "start", start)
    assert gate.reached.wait(20)
    gate.open.set()
    index._wait_for_merges()
    assert len(index._snapshot.segments) == 1
    index.check()
