"""What long calls tell of how far they are, and what happens when nobody wants to hear it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.support.progress import INTERVAL, Progress, reporting
from reference import codes_of

N = 20_000
Call = Callable[[HashIndex, Progress], Any]
CALLS: dict[str, Call] = {
    "add": lambda index, progress: index.add(codes_of(1, N), progress=progress),
    "pairs": lambda index, progress: [len(block.ids_a) for block in index.pairs(20, progress=progress)],
    "components": lambda index, progress: index.components(20, progress=progress).tolist(),
    "deduplicate": lambda index, progress: index.deduplicate(20, progress=progress).tolist(),
    "prepare": lambda index, progress: index.prepare(radius=2, progress=progress),
    "compact": lambda index, progress: index.compact(progress=progress),
    "check": lambda index, progress: index.check(progress=progress),
}


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> HashIndex:
    monkeypatch.setattr("hashindex.support.progress.INTERVAL", 0.0)
    monkeypatch.setattr("hashindex.writing.adding.READ_BYTES", 2**13)
    monkeypatch.setattr("hashindex.search.blocks.MOST_QUERIES", 2**12)
    index = HashIndex(64)
    index.add(codes_of(0, N)[:-999])
    index.add(codes_of(0, N)[-999:])  # the tail
    return index


@pytest.mark.parametrize("name", CALLS)
def test_calls_tell_how_far_they_are(name: str, index: HashIndex) -> None:
    told: list[tuple[int, int]] = []
    threads = set()

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        threads.add(threading.current_thread())

    answer = CALLS[name](index, progress)
    assert {total for _, total in told} == {N}
    dones = [done for done, _ in told]
    assert dones == sorted(dones)
    assert dones.count(N) == 1
    assert dones[-1] == N
    assert len(dones) > (1 if name in ("prepare", "compact", "check") else 5)
    assert threads == {threading.current_thread()}
    if name == "add":
        np.testing.assert_array_equal(index.search(codes_of(1, N), k=1).ids[:, 0], answer)
    else:
        assert answer == CALLS[name](index, False)
    told.clear()
    CALLS[name](HashIndex(64), progress)
    assert told[-1] == ((N, N) if name == "add" else (0, 0))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("at", [0, N])
def test_what_is_raised_ends_the_call_and_changes_nothing(name: str, at: int, index: HashIndex) -> None:
    def progress(done: int, _: int) -> None:
        if done >= at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CALLS[name](index, progress)
    assert len(index) == N
    assert index.add(np.uint64(3)).tolist() == [N]
    assert index.search(codes_of(0, N)[7], k=1).ids.tolist() == [7]


def test_a_check_of_a_store_tells_of_every_look(tmp_path: Path, index: HashIndex) -> None:
    told: list[tuple[int, int]] = []
    with HashIndex.open(tmp_path / "store", 64) as store:
        store.add(index.get(index.ids())[:17_000])
        store.add(index.get(index.ids())[17_000:])
        store.check(progress=lambda done, total: told.append((done, total)))
    dones = [done for done, _ in told]
    assert dones == sorted(dones)
    assert {17_000, N + 17_000, told[-1][1]} < set(dones)
    assert told[-1] == (3 * N, 3 * N)


def test_it_is_told_twenty_times_a_second_at_most() -> None:
    told: list[float] = []
    start = time.monotonic()
    with reporting(lambda *_: told.append(time.monotonic()), 10**6, "counting") as tell:
        while time.monotonic() - start < 5.5 * INTERVAL:
            tell(len(told))
    assert 2 <= len(told) <= 7
    assert min(np.diff(told[:-1])) >= 0.9 * INTERVAL


@pytest.mark.parametrize("name", CALLS)
def test_a_bar_needs_tqdm(
    name: str, index: HashIndex, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tqdm")
    CALLS[name](index, True)
    shown = capsys.readouterr()
    assert f"{name}: 100%" in shown.err
    assert not shown.out
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match="pip install tqdm, or pass a callable"):
        CALLS[name](index, True)


@pytest.mark.parametrize("name", CALLS)
def test_neither_a_bool_nor_callable(name: str, index: HashIndex) -> None:
    wrong: Any = "yes"
    with pytest.raises(TypeError, match=r"True, False or a callable\(done, total\), got 'yes'"):
        CALLS[name](index, wrong)
    assert len(index) == N


def test_pairs_that_nobody_asks_for_end_without_a_word(index: HashIndex) -> None:
    told: list[int] = []
    pairs = index.pairs(20, progress=lambda done, _: told.append(done))
    next(pairs)
    del pairs
    assert 0 < told[-1] < N
    with pytest.raises(TypeError, match="progress must be"):
        index.pairs(3, progress=7)  # type: ignore[arg-type]
