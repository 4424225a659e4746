"""What is saved comes back, in every way that an index can be made of it."""

from __future__ import annotations

import os
import pickle
import stat
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference
from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.segments import segment as segments
from hashindex.store import container
from hashindex.writing import merging
from saved import META, some_index


@pytest.fixture(autouse=True)
def _idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an idle index be as it is: on a busy machine it would be merged before it is compared."""
    monkeypatch.setattr(merging, "MOST_APART", 1.0)


def same_state(ours: HashIndex, theirs: HashIndex) -> None:
    for one, other in zip(ours._snapshot.all_codes(), theirs._snapshot.all_codes(), strict=True):
        np.testing.assert_array_equal(one, other)
    a, b = ours._snapshot, theirs._snapshot
    assert (a.n_bits, a.next_id, len(a.segments), a.n_tail) == (b.n_bits, b.next_id, len(b.segments), b.n_tail)
    assert ours.meta == theirs.meta
    for one, other in zip(a.segments, b.segments, strict=True):
        assert (one.n_distinct, one.n_removed, one.postings is None) == (
            other.n_distinct,
            other.n_removed,
            other.postings is None,
        )
        assert set(one.learned.states) == set(other.learned.states)
        if one.learned.spread is not None and other.learned.spread is not None:
            np.testing.assert_array_equal(one.learned.spread.distances, other.learned.spread.distances)
            assert one.learned.spread.share == other.learned.spread.share
        assert (one.learned.spread is None) == (other.learned.spread is None)


def same_answers(ours: HashIndex, theirs: HashIndex, queries: Any) -> None:
    for method in ("auto", "scan", "multi-index"):
        for options in ({"k": 7}, {"radius": 3}, {"k": 5, "radius": 9}):
            expected, found = ours.search(queries, **options), theirs.search(queries, **options, method=method)  # type: ignore[call-overload]
            for one, other in zip(expected, found, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n_bits", [1, 7, 64, 65, 256, 1020])
def test_round_trips(n_bits: int, rng: np.random.Generator, tmp_path: Path) -> None:
    index, path = some_index(rng, n_bits), tmp_path / "a.hxi"
    queries = reference.random_codes(rng, 5, n_bits, "uniform")
    index.save(path)
    assert index.to_bytes() == path.read_bytes()
    for twin in (HashIndex.load(path), HashIndex.load(path, mmap=True), HashIndex.from_bytes(index.to_bytes())):
        same_state(index, twin)
        same_answers(index, twin, queries)
        assert twin.to_bytes() == index.to_bytes()
    assert pickle.loads(pickle.dumps(index)).meta == META


def test_every_engine_reads_it_and_goes_on(engine: Engine, rng: np.random.Generator, tmp_path: Path) -> None:
    """Changed, searched, saved onto the file that is mapped, and read again; nothing is built anew."""
    index, path = some_index(rng, 64), tmp_path / "a.hxi"
    index.save(path)
    queries = reference.random_codes(rng, 5, 64, "uniform")
    twin = HashIndex.load(path, mmap=True, engine=engine)
    assert any("multi-index" in one.learned.states for one in twin._snapshot.segments)
    same_answers(index, twin, queries)
    for one in (index, twin):
        one.add(queries)
        one.remove([1000 * 3 + 7, 3, 12_001])
    twin.save(path)
    same_answers(index, twin, queries)
    again = HashIndex.load(path, mmap=True, engine=engine)
    same_answers(index, again, queries)
    again.add(reference.codes_of(1, 20_000))  # merges what is mapped
    assert len(again) == len(index) + 20_000


@pytest.mark.parametrize("n_bits", [None, 12])
def test_an_empty_index(n_bits: int | None, tmp_path: Path) -> None:
    index = HashIndex(n_bits)
    if n_bits:
        index.remove(index.add(np.zeros((3, 2), np.uint8)))
    index.save(tmp_path / "a.hxi")
    for mmap in (False, True):
        twin = HashIndex.load(tmp_path / "a.hxi", mmap=mmap)
        assert twin.n_bits == n_bits
        assert len(twin) == 0
        assert twin.add(np.zeros((1, 2), np.uint8)) == [3 if n_bits else 0]


def test_loading_reads_little_and_samples_nothing(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, path = some_index(rng, 64), tmp_path / "a.hxi"
    index.save(path)

    def refuse(*_: Any) -> Any:
        raise AssertionError("all codes were read")

    for name in ("spread_of", "estimate_distinct", "collapse"):
        monkeypatch.setattr(segments, name, refuse)
    monkeypatch.setattr("hashindex.structures.multi_index.structure.deal", refuse)
    twin = HashIndex.load(path, mmap=True)
    twin.search(np.zeros((2000, 8), np.uint8), k=3)
    for segment in twin._snapshot.segments:
        assert not segment.codes.flags.writeable
        assert not segment.codes.flags.owndata


def test_a_save_that_fails_leaves_the_old_file(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, path = some_index(rng, 64), tmp_path / "a.hxi"
    index.save(path)
    before, whole = path.read_bytes(), container._pieces
    index.add(reference.codes_of(3, 10))
    for error in (OSError("the disk is full"), KeyboardInterrupt()):
        for at in (0, 3):

            def pieces(*plan: Any, at: int = at, error: BaseException = error) -> Any:
                yield from list(whole(*plan))[:at]
                raise error

            monkeypatch.setattr(container, "_pieces", pieces)
            with pytest.raises(type(error)):
                index.save(path)
            monkeypatch.undo()
            assert path.read_bytes() == before
            assert os.listdir(tmp_path) == ["a.hxi"]  # noqa: PTH208
    with pytest.raises(FileNotFoundError, match=r"no.folder.a\.hxi"):
        index.save(tmp_path / "no folder" / "a.hxi")


def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    HashIndex(64).save(tmp_path / "a.hxi")
    assert stat.S_IMODE((tmp_path / "a.hxi").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_saving_beside_a_writer_is_one_state(tmp_path: Path) -> None:
    """Code i is the number i, so that any state is known by how many codes it has."""
    index, done = HashIndex(64), threading.Event()
    index.add(np.arange(16_000, dtype=np.uint64))

    def write() -> None:
        while not done.is_set() and len(index) < 60_000:
            index.add(np.arange(len(index), len(index) + 100, dtype=np.uint64))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(10):
            index.save(tmp_path / "a.hxi")
            codes, ids = HashIndex.load(tmp_path / "a.hxi")._snapshot.all_codes()
            np.testing.assert_array_equal(ids, np.arange(len(ids)))
            np.testing.assert_array_equal(codes.view(">u8")[:, 0], ids)
    finally:
        done.set()
        thread.join()


def test_meta() -> None:
    given = {"encoder": ("a", 1)}
    index = HashIndex(64, meta=given)
    given["encoder"] = ("b", 2)
    index.meta["more"] = 1
    assert index.meta == {"encoder": ["a", 1]}
    assert HashIndex(64).meta == {}
    for meta, error in (
        (["a"], TypeError),
        ({1: 2}, TypeError),
        ({"a": {"b": object()}}, TypeError),
        ({"a": float("nan")}, ValueError),
        ({"a": "b" * 2**20}, ValueError),
        ({"a": 10**5000}, ValueError),
    ):
        with pytest.raises(error, match="meta"):
            HashIndex(64, meta=meta)  # type: ignore[arg-type]
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="levels deep"):
        HashIndex(64, meta=deep)


def test_meta_is_compared_where_indexes_are_joined() -> None:
    a, b, none = HashIndex(64, meta={"v": 1}), HashIndex(64, meta={"v": 2}), HashIndex(64)
    for index in (a, b, none):
        index.add(np.arange(5, dtype=np.uint64))
    with pytest.raises(ValueError, match=r'\{"v": 1\} here, \{"v": 2\} there'):
        a.join(b, 1)
    assert sum(len(block.distances) for block in a.join(none, 0)) == 5
    assert sum(len(block.distances) for block in none.join(b, 0)) == 5
