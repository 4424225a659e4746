"""A large segment that a store has written goes on as a map of its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.store import durable
from reference import codes_of

pytestmark = pytest.mark.usefixtures("small", "all_is_large")


@pytest.fixture
def all_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "MAPPED_BYTES", 1)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_after_a_merge_and_after_compacting(tmp_path: Path) -> None:
    codes = codes_of(0, 6000)
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes[:3000])
        index.add(codes[3000:])
        index._wait_for_merges()
        assert [one.is_mapped for one in index._snapshot.segments] == [True]
        index.remove(np.arange(0, 6000, 4))
        index.compact()
        assert [(one.is_mapped, one.n_removed) for one in index._snapshot.segments] == [(True, 0)]
        index.prepare(radius=0)
        index.compact()
        (one,) = index._snapshot.segments
        assert one.is_mapped
        assert one.learned.states
        before = files(tmp_path)
        index.compact()
        assert files(tmp_path) == before
        with index.batch():
            index.remove(1)
            index.compact()
        index.check()
    kept = np.setdiff1d(np.arange(2, 6000), np.arange(0, 6000, 4))
    with HashIndex.open(tmp_path / "store", mode="r") as reader:
        assert np.array_equal(reader.ids(), kept)
        assert np.array_equal(reader.search(codes[kept], radius=0).ids, kept)
        before = files(tmp_path)
        reader.prepare(radius=0)
        with pytest.raises(OSError, match="open for reading"):
            reader.compact()
        assert files(tmp_path) == before
