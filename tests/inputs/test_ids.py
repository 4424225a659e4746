"""Ids as arrays: plain ones go a short way, and come out as others do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.inputs import ids as inputs
from hashindex.inputs.filters import as_filter
from hashindex.support.native import core

IDS = np.array([5, 0, 2**63 - 1, 7, 7])


@pytest.mark.parametrize("native", [core, None] if core else [None])
@pytest.mark.parametrize(
    "given",
    [
        IDS,
        IDS.astype(">i8"),
        np.repeat(IDS, 2)[::2],
        np.frombuffer(b"x" + IDS.tobytes(), np.int64, offset=1),  # unaligned
        IDS.astype(np.uint64),
        IDS.tolist(),
    ],
)
def test_ids_come_out_as_they_went_in(native: Any, given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "core", native)
    found = inputs.as_ids(given)
    assert found.dtype == np.int64
    assert found.flags.aligned
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, IDS)
    assert not np.shares_memory(found, given)


@pytest.mark.parametrize("native", [core, None] if core else [None])
@pytest.mark.parametrize("order", ["<", ">"])
def test_ids_beyond_int64_are_refused_in_any_byte_order(
    native: Any, order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "core", native)
    large = np.array([1, 2**63 + 5], f"{order}u8")
    for read in (inputs.as_ids, inputs.as_some_ids, lambda given: as_filter(given, "allow")):
        with pytest.raises(ValueError, match=r"below 2\*\*63, got 9223372036854775813"):
            read(large)
    with HashIndex.open(tmp_path / "store", 8) as index:
        with pytest.raises(ValueError, match="below"):
            index.add(np.zeros((2, 1), np.uint8), ids=large)
        assert len(index) == 0


@pytest.mark.parametrize("native", [core, None] if core else [None])
def test_what_is_no_row_of_ids_is_refused(native: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "core", native)
    with pytest.raises(ValueError, match="negative"):
        inputs.as_ids(np.array([3, -1]))
    with pytest.raises(ValueError, match="shape"):
        inputs.as_ids(np.array([[3, 1]]))
    with pytest.raises(TypeError, match="masked"):
        inputs.as_ids(np.ma.masked_array([3, 1], [True, False]))
    with pytest.raises(TypeError, match="integers, got True, a bool"):
        inputs.as_ids([2, True])
    assert inputs.as_ids(np.empty(0, np.int64)).shape == (0,)
