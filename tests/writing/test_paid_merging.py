"""Merges that searches have paid for, of an index that is no longer written to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from reference import Codes, codes_of

pytestmark = pytest.mark.usefixtures("small")


def two_that_stay(index: HashIndex) -> Codes:
    """Add two segments that differ too much in size to be merged, the larger with tables, and a tail."""
    codes = codes_of(0, 30_610)
    index.add(codes[:30_000])
    index.search(codes[:1], radius=2, method="multi-index")
    index.add(codes[30_000:30_600])
    index.add(codes[30_600:])
    index._wait_for_merges()
    assert (len(index._snapshot.segments), index._snapshot.n_tail) == (2, 10)
    return codes


def search_until(index: HashIndex, codes: Codes, ends: Any, seconds: float = 20) -> None:
    """Search all for some time, and check every answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not ends():
        np.testing.assert_array_equal(index.search(codes[::50], radius=2, n_threads=1).ids, np.arange(len(codes))[::50])


def test_searches_that_have_paid_for_one_segment_get_one(index: HashIndex) -> None:
    codes = two_that_stay(index)
    search_until(index, codes, lambda: len(index._snapshot.segments) == 1)
    index._wait_for_merges()
    (segment,) = index._snapshot.segments
    assert (segment.n_rows, index._snapshot.n_tail) == (len(codes), 0)
    assert "multi-index" in segment.learned.states
    index.add(codes_of(9, 3))
    assert index.ids().tolist() == list(range(len(codes) + 3))
    index.check()


def test_who_adds_begins_the_payment_anew(index: HashIndex) -> None:
    codes = two_that_stay(index)
    paid = index._snapshot.segments[0].learned
    search_until(index, codes, lambda: paid.apart > 0)
    assert paid.apart > 0
    index.add(codes_of(9, 20))
    largest = max(index._snapshot.segments, key=lambda one: one.n_rows)  # another where that was enough for a merge
    assert largest.learned.apart == 0


def test_neither_a_map_nor_a_reader_nor_a_batch_is_merged_by_searches(tmp_path: Path) -> None:
    index = HashIndex(64)
    codes = two_that_stay(index)
    index.save(tmp_path / "file")
    mapped = HashIndex.load(tmp_path / "file", mmap=True)
    assert all(one.is_mapped for one in mapped._snapshot.segments)
    assert not any(one.is_mapped for one in index._snapshot.segments)
    with HashIndex.open(tmp_path / "store", 64) as writer:
        two_that_stay(writer)
        with HashIndex.open(tmp_path / "store", mode="r") as reader:
            for one in (mapped, reader):
                n_segments = len(one._snapshot.segments)
                search_until(one, codes, lambda: False, seconds=0.5)
                assert (len(one._snapshot.segments), one._merging) == (n_segments, None)
        with writer.batch():
            search_until(writer, codes, lambda: False, seconds=0.5)
            assert len(writer._snapshot.segments) == 2
