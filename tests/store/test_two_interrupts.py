"""A Ctrl-C, and another while what it broke off is taken back: memory and disk agree, or the next change tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.store.durable import Store
from hashindex.store.manifest import Manifest
from hashindex.store.transaction import Transaction
from reference import codes_of

CODES = codes_of(0, 9)

Place = tuple[type, str, bool]  # a method, and whether it does its work before the Ctrl-C
FIRST: dict[str, Place] = {
    "before the log": (Transaction, "record", False),
    "after the log": (Transaction, "record", True),
    "before the files": (Store, "_commit", False),
    "before the names": (Transaction, "name", False),
    "before the commit": (Manifest, "commit", False),
    "after the commit": (Manifest, "commit", True),
}
SECOND: dict[str, Place] = {
    "before": (Store, "_abandon", False),
    "before the rollback": (Manifest, "rollback", False),
    "after the rollback": (Manifest, "rollback", True),
    "at a look at the disk": (Manifest, "head", False),
    "after": (Store, "_take_back", True),
}


def interrupt(patch: pytest.MonkeyPatch, place: Place) -> None:
    kind, name, works = place
    real: Callable[..., Any] = getattr(kind, name)

    def broken(*arguments: Any, **named: Any) -> None:
        if works:
            real(*arguments, **named)
        raise KeyboardInterrupt

    patch.setattr(kind, name, broken)


def interrupted(change: Callable[[], Any], *places: Place) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for place in places:
            interrupt(patch, place)
        with pytest.raises(KeyboardInterrupt):
            change()


def agrees(index: HashIndex, folder: Path) -> None:
    """After the next change, which may have to tell first, memory and disk hold the same."""
    try:
        index.add(CODES[5:6])
    except InterruptedError:
        index.add(CODES[5:6])
    index.check()
    ids, codes = index.ids(), index.get(index.ids())
    index.close()
    with HashIndex.open(folder) as again:
        np.testing.assert_array_equal(again.ids(), ids)
        np.testing.assert_array_equal(again.get(ids), codes)
        again.check()
    assert len(ids) in (4, 6)  # an interrupted change of two counts, or it does not


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", FIRST)
def test_a_change(tmp_path: Path, first: str, second: str) -> None:
    index = HashIndex.open(tmp_path / "store", 64)
    index.add(CODES[:3])
    interrupted(lambda: index.add(CODES[3:5]), FIRST[first], SECOND[second])
    agrees(index, tmp_path / "store")


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", list(FIRST)[:2])
def test_a_change_in_a_batch_that_goes_on(tmp_path: Path, first: str, second: str) -> None:
    index = HashIndex.open(tmp_path / "store", 64)
    index.add(CODES[:3])

    def batch() -> None:
        with index.batch():
            interrupted(lambda: index.add(CODES[3:5]), FIRST[first], SECOND[second])
            index.add(CODES[6:8])

    with pytest.raises((OSError, InterruptedError)):  # the batch has failed
        batch()
    assert len(index) == 3
    agrees(index, tmp_path / "store")


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", list(FIRST)[2:])
def test_the_end_of_a_batch(tmp_path: Path, first: str, second: str) -> None:
    index = HashIndex.open(tmp_path / "store", 64)
    index.add(CODES[:3])

    def batch() -> None:
        with index.batch():
            index.add(CODES[3:4])
            index.add(CODES[4:5])

    interrupted(batch, FIRST[first], SECOND[second])
    agrees(index, tmp_path / "store")
