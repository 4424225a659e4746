"""Indexes in memory and on the disk, in which a few codes are a large segment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hashindex import HashIndex
from hashindex.segments import segment as segments
from hashindex.writing import adding, merging


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few codes be a large segment, and an idle index be as it is."""
    monkeypatch.setattr(merging, "MOST_APART", 1.0)
    monkeypatch.setattr(adding, "TAIL_CODES", 16)
    monkeypatch.setattr(segments, "LARGE", 24)
    monkeypatch.setattr(segments, "FEWEST_COLLAPSED", 8)


@pytest.fixture(params=["memory", "store"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HashIndex]:
    made = HashIndex(64) if request.param == "memory" else HashIndex.open(tmp_path / "store", 64)
    with made:
        yield made
