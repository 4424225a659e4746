"""What a store holds when it is opened again: exactly what was acknowledged."""

from __future__ import annotations

import contextlib
import pickle
import resource
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.store import transaction
from hashindex.store.durable import Store
from hashindex.writing import adding
from histories import KINDS, Model, check_same, content, step
from reference import codes_of


@pytest.fixture
def _small_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "TAIL_CODES", 64)
    monkeypatch.setattr(transaction, "MOST_LOGGED", 150)


def fresh_segments(folder: Path) -> tuple[object, ...]:
    with HashIndex.open(folder, mode="r") as index:
        return index._snapshot.segments


@pytest.mark.usefixtures("_small_tail")
@pytest.mark.parametrize("sync", ["always", "os"])
def test_a_history_is_there_after_every_step(tmp_path: Path, rng: np.random.Generator, sync: str) -> None:
    """A reader that refreshes, one that opens anew, and the writer opened again now and then all agree."""
    model: Model = {}
    index = HashIndex.open(tmp_path / "store", 64, sync=sync)  # type: ignore[arg-type]
    reader = HashIndex.open(tmp_path / "store", mode="r")
    next_id = 0
    for i in range(250):
        done = step(rng, index, model, (*KINDS, "clear") if i % 50 == 49 else KINDS)
        check_same(index, model, step=i, done=done)
        if i % 3 == 0:
            reader.refresh()
            assert content(reader) == model, (i, done)
        if i % 5 == 0:
            with HashIndex.open(tmp_path / "store", mode="r") as fresh:
                check_same(fresh, model, step=i, done=done)
        if i % 20 == 0:
            index.check()
            next_id = max(next_id, int(index.add(codes_of(0, 1))[0]) + 1)
            index.remove(next_id - 1)
            index.close()
            index = HashIndex.open(tmp_path / "store")
            assert index.add(codes_of(0, 1))[0] >= next_id
            index.remove(index.ids()[-1])
    reader.close()
    index.close()
    assert len(list((tmp_path / "store" / "segments").iterdir())) == len(fresh_segments(tmp_path / "store"))


@pytest.mark.usefixtures("_small_tail")
def test_batches_are_all_or_nothing(tmp_path: Path, rng: np.random.Generator) -> None:
    model: Model = {}
    for index in (HashIndex.open(tmp_path / "store", 64), HashIndex(64)):
        model.clear()
        for i in range(40):
            before = dict(model)
            if i % 2:
                with index.batch():
                    for _ in range(6):
                        step(rng, index, model)
                        check_same(index, model)
            else:
                with contextlib.suppress(ZeroDivisionError), index.batch():
                    for _ in range(6):
                        step(rng, index, model)
                    raise ZeroDivisionError
                model = before
            check_same(index, model)
            if (tmp_path / "store").exists() and index._store is not None:
                with HashIndex.open(tmp_path / "store", mode="r") as fresh:
                    check_same(fresh, model)
        index.check()
        with index.batch(), pytest.raises(RuntimeError, match="already"), index.batch():
            pass
        index.close()


def test_a_large_batch_becomes_a_segment_without_the_log(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 100))
        index.add(codes_of(1, 20_000))
        index.add(codes_of(2, 10))
        with sqlite3.connect(tmp_path / "store" / "store.sqlite") as database:
            assert database.execute("SELECT count(*), sum(length(codes)) FROM log").fetchone() == (1, 80)
        database.close()
        index.remove(np.arange(30))
        fresh = HashIndex.open(tmp_path / "store", mode="r")
        assert content(fresh) == content(index)


def test_equal_codes_and_width_known_late(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", meta={"encoder": "pdq"}) as index:
        reader = HashIndex.open(tmp_path / "store", mode="r")
        assert (index.n_bits, len(index)) == (None, 0)
        index.add(np.zeros((30_000, 32), np.uint8))
        index.remove(np.arange(0, 30_000, 7))
        assert reader.refresh()
        assert not reader.refresh()
        assert reader.meta == {"encoder": "pdq"}
        assert (reader.n_bits, reader.ids().tolist()) == (256, index.ids().tolist())


def test_compact_keeps_what_was_built(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 30_000))
        index.remove([3, 4])
        index.compact()
        index.search(codes_of(0, 10), radius=2, method="multi-index")
        index.compact()
        index.compact()
        expected = index.search(codes_of(0, 100), radius=9)
        assert [path.name for path in (tmp_path / "store" / "segments").iterdir()] == ["00000003.hxs"]
        index.check()
    with HashIndex.open(tmp_path / "store", mode="r") as index:
        assert "multi-index" in index._snapshot.segments[0].learned.states
        found = index.search(codes_of(0, 100), radius=9, method="multi-index")
        assert np.array_equal(found.ids, expected.ids)
        assert np.array_equal(found.offsets, expected.offsets)


def test_a_pickle_is_a_reader(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 10))
        there = pickle.loads(pickle.dumps(index))
        index.add(codes_of(1, 10))
        assert (len(there), there.refresh(), len(there)) == (10, True, 20)
        with pytest.raises(OSError, match="open for reading"):
            there.add(codes_of(2, 1))


def test_what_crashes_leave_is_swept_and_other_files_stay(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 20_000))
    segments = tmp_path / "store" / "segments"
    for name in ("00000099.hxs", ".00000100.hxs.0123456789abcdef.new", "notes.txt"):
        (segments / name).write_bytes(b"x")
    HashIndex.open(tmp_path / "store", mode="r").close()
    assert len(list(segments.iterdir())) == 4
    with HashIndex.open(tmp_path / "store") as index:
        assert sorted(path.name for path in segments.iterdir()) == ["00000001.hxs", "notes.txt"]
        index.check()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("_small_tail")
def test_an_interrupt_anywhere_leaves_memory_and_disk_alike(tmp_path: Path, rng: np.random.Generator) -> None:
    class Interrupt(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupt

    index, model, interrupted = HashIndex.open(tmp_path / "store", 64, sync="os"), Model(), 0
    reader = HashIndex.open(tmp_path / "store", mode="r")
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for i in range(300):
            after = dict(model)
            try:
                signal.setitimer(signal.ITIMER_REAL, float(rng.uniform(0.00005, 0.002)))
                try:
                    if i % 5:
                        step(rng, index, after)
                    else:
                        with index.batch():
                            step(rng, index, after)
                            step(rng, index, after)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupt:
                interrupted += 1
                reader.refresh()
                model = content(reader)
                with contextlib.suppress(InterruptedError):
                    index.compact()
            except InterruptedError:
                model = content(index)
            else:
                model = after
            reader.refresh()
            assert content(index) == model == content(reader), i
    finally:
        signal.signal(signal.SIGALRM, before)
    assert interrupted
    index.check()
    index.close()
    reader.close()


def test_a_full_disk_raises_and_writing_goes_on_once_there_is_room(tmp_path: Path) -> None:
    """Files that may not grow are what a full disk looks like, and end in time."""
    index = HashIndex.open(tmp_path / "store", 64)
    index.add(codes_of(0, 100), keys=[str(i) for i in range(100)])
    before = content(index)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))
    try:
        for change in (
            lambda: index.add(codes_of(1, 20_000)),  # a segment
            lambda: index.add(codes_of(1, 16_000)),  # the log
            lambda: in_batch(index),
        ):
            with pytest.raises(OSError, match="large|disk") as raised:
                change()
            assert Path(raised.value.filename).parent in (tmp_path / "store", tmp_path / "store" / "segments")
            assert content(index) == before
            with HashIndex.open(tmp_path / "store", mode="r") as reader:
                assert content(reader) == before
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in (tmp_path / "store" / "segments").iterdir()] == []
    assert index.add(codes_of(1, 20_000))[0] == 100
    index.check()
    index.close()


def in_batch(index: HashIndex) -> None:
    with index.batch():
        index.remove([5, 6])
        index.add(codes_of(2, 10))
        with contextlib.suppress(OSError):
            index.add(codes_of(1, 16_000))
        index.add(codes_of(2, 16_000))


def test_a_change_within_a_change_is_refused(tmp_path: Path) -> None:
    """What ``add`` is given may be code that changes the index while it is read."""
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 20_000))

        def keys() -> Iterator[str]:
            index.remove(0)
            yield "a"

        with pytest.raises(RuntimeError, match="was changed by what this call was given"):
            index.add(codes_of(1, 1), keys=keys())
        assert len(index) == 19_999
        index.check()
    with HashIndex.open(tmp_path / "store") as index:
        assert len(index) == 19_999


def test_codes_added_while_others_are_read_stay(tmp_path: Path) -> None:
    """The outer change would put its own behind the same tail, into the same place."""
    with HashIndex.open(tmp_path / "store", 64) as index:
        for n in (3, 1, 1):  # leaves the tail room
            index.add(codes_of(n, n))

        def keys() -> Iterator[str]:
            index.add(codes_of(7, 1))
            yield "a"

        with pytest.raises(RuntimeError, match="was changed by what this call was given"):
            index.add(codes_of(8, 1), keys=keys())
        np.testing.assert_array_equal(index.get([5]), codes_of(7, 1))
        index.check()


@pytest.mark.parametrize("name", ["begin_batch", "abandon_batch"])
def test_ctrl_c_at_the_edge_of_a_batch_leaves_none_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    index = HashIndex.open(tmp_path / "store", 64, sync="os")
    index.add(codes_of(0, 5))
    real = getattr(Store, name)

    def interrupted(store: Store) -> None:
        monkeypatch.undo()
        if name == "begin_batch":
            real(store)
        raise KeyboardInterrupt

    def left() -> None:
        with index.batch():
            index.add(codes_of(1, 5))
            raise ZeroDivisionError

    monkeypatch.setattr(Store, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        left()
    with contextlib.suppress(InterruptedError):  # which says that memory is as the disk again
        index.add(codes_of(2, 5))
    index.add(codes_of(3, 5))
    with HashIndex.open(tmp_path / "store", mode="r") as reader:
        assert content(reader) == content(index)
    index.close()
    with HashIndex.open(tmp_path / "store") as index:
        assert len(index) in (10, 15)
        index.check()
