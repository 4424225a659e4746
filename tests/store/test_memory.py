"""What is opened and closed again, and what is read again and again, leaves nothing behind in memory."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hashindex import HashIndex
from reference import codes_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

TIMES = int(os.environ.get("HASHINDEX_TIMES", "150"))
MOST = 1.5e6  # bytes that the allocators of Python, NumPy and SQLite may settle by


def growth(work: Callable[[], object]) -> float:
    """Bytes of resident memory more after many times, the first of them not counted."""
    for _ in range(50):
        work()
    before = resident()
    for _ in range(TIMES):
        work()
    return resident() - before


def resident() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_opening_searching_and_closing(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64, sync="os") as index:
        index.add(codes_of(0, 50_000))
        index.prepare(radius=2)
        index.compact()
        index.add(codes_of(1, 100), keys=[str(i) for i in range(100)])
        index.remove(np.arange(100))

    def once() -> None:
        with HashIndex.open(tmp_path / "store", mode="r") as reader:
            assert reader.search(codes_of(1, 1), radius=2).ids[0] == 50_000
            assert reader.find("7")[0] == 50_007

    assert growth(once) < MOST
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) < 200


def test_refreshing(tmp_path: Path) -> None:
    with (
        HashIndex.open(tmp_path / "store", 64, sync="os") as index,
        HashIndex.open(tmp_path / "store", mode="r") as reader,
    ):
        ids = index.add(codes_of(0, 20_000))

        def once() -> None:
            nonlocal ids
            index.remove(ids[:500])
            ids = np.concatenate([ids[500:], index.add(codes_of(1, 500))])
            assert reader.refresh()
            assert len(reader) == len(reader.search(codes_of(1, 3), radius=64).row(0).ids) == 20_000

        assert growth(once) < MOST
