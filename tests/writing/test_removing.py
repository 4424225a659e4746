"""Removing many at once: found in segments and the tail, all or nothing, natively and in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hashindex import HashIndex
from hashindex.segments import segment as segments
from hashindex.support.native import core
from hashindex.writing import removing

FORMS = [pytest.param(None, id="numpy"), *([pytest.param(core, id="native")] if core else [])]
settled = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    for room in (removing, segments):
        monkeypatch.setattr(room, "core", request.param)
    return request.param


def made(rng: np.random.Generator, own_ids: bool) -> tuple[HashIndex, dict[int, bytes]]:
    """An index of a large segment, of which some were removed and came again, a small one and a tail."""
    index, codes = HashIndex(64), rng.integers(0, 256, (40_000, 8), dtype=np.uint8)
    ids = np.sort(rng.permutation(10**6)[:30_000]) if own_ids else np.arange(30_000)
    index.add(codes[:30_000], ids=ids)
    known = dict(zip(ids.tolist(), map(bytes, codes), strict=False))
    again = rng.permutation(ids)[:2000]
    index.remove(again)
    others = 10**6 + rng.permutation(10**6)[:8000]
    for i in range(10):
        new, some = (
            np.append(again[200 * i : 200 * (i + 1)], others[800 * i : 800 * (i + 1)]),
            codes[30_000 + 1000 * i :],
        )
        index.add(some[:1000], ids=new)
        known.update(zip(new.tolist(), map(bytes, some), strict=False))
    return index, known


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("own_ids", [False, True])
@settled
@given(seed=st.integers(0, 2**32 - 1), sizes=st.lists(st.sampled_from((1, 2, 50, 1500, 6000)), min_size=1, max_size=4))
def test_many_are_removed_wherever_they_are(own_ids: bool, seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    index, known = made(rng, own_ids)
    for n in sizes:
        some = rng.permutation(np.array(list(known)))[:n]
        assert index.remove(np.append(some, some[: n // 3])) == n  # some are told twice
        for one in some.tolist():
            del known[one]
        left = np.sort(np.array(list(known)))
        np.testing.assert_array_equal(index.ids(), left)
    picked = rng.permutation(left)[:100]
    assert [bytes(code) for code in index.get(picked)] == [known[one] for one in picked.tolist()]
    index.check()


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("own_ids", [False, True])
def test_the_first_that_is_not_there_is_named_and_nothing_changes(own_ids: bool, rng: np.random.Generator) -> None:
    index, _ = made(rng, own_ids)
    before = index.ids()
    there = before[rng.integers(len(before), size=30)]
    index.remove(there[:1])
    with pytest.raises(KeyError, match=f"id {there[0]} is not in the index; nothing was changed"):
        index.remove(there)
    with pytest.raises(KeyError, match="id 5000001 is not in the index; nothing was changed"):
        index.remove([*there[1:], 9 * 10**6, 5_000_001, 2**63 - 1])
    with pytest.raises(ValueError, match="must not be negative"):
        index.remove(np.append(there[1:], -1))
    np.testing.assert_array_equal(index.ids(), before[before != there[0]])
    assert index.remove([*there[1:], 9 * 10**6], missing="ignore") == len(np.unique(there[1:]))
