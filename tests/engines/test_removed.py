"""Marks of removed rows: a value that shares what did not change, natively and in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hashindex.engines import removed as marks
from hashindex.engines.removed import PAGE, Removed
from hashindex.support.native import core

FORMS = [pytest.param(None, id="numpy"), *([pytest.param(core, id="native")] if core else [])]


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(marks, "_pages_of", request.param.pages_of if request.param else marks.pages_of)
    monkeypatch.setattr(marks, "_with_rows", request.param.with_rows if request.param else marks.with_rows)
    monkeypatch.setattr(marks, "SPARE", 3)  # pools are soon used up
    return request.param


@pytest.mark.usefixtures("form")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n_rows=st.sampled_from((1, 7, 8 * PAGE, 8 * PAGE + 1, 50 * 8 * PAGE - 3)),
    sizes=st.lists(st.sampled_from((0, 1, 2, 30, 1000)), max_size=7),
    seed=st.integers(0, 2**32 - 1),
    is_apart=st.integers(0, 7),
)
def test_what_is_removed_is_marked_and_nothing_else(n_rows: int, sizes: list[int], seed: int, is_apart: int) -> None:
    rng = np.random.default_rng(seed)
    states, expected = [Removed.none(n_rows)], [np.zeros(n_rows, np.bool_)]
    for i, n in enumerate(sizes):
        rows = rng.integers(0, n_rows, n)  # in any order, some twice, some that are marked already
        before = states[rng.integers(len(states))] if i % 3 == 2 else states[-1]  # two may come of one
        kept = expected[states.index(before)].copy()
        kept[rows] = True
        states.append((before.apart() if i == is_apart else before).with_rows(rows))
        expected.append(kept)
    for state, gone in zip(states, expected, strict=True):  # those before did not change
        np.testing.assert_array_equal(state.kept(), ~gone)
        np.testing.assert_array_equal(state.beyond(None), np.flatnonzero(gone))
        some = rng.integers(0, n_rows, 20)
        np.testing.assert_array_equal(state.has(some), gone[some])
        assert [state.has_row(int(row)) for row in some] == gone[some].tolist()


@pytest.mark.skipif(core is None, reason="needs the C++ extension")
@pytest.mark.parametrize(
    ("numbers", "places", "rows"),
    [([1], [1], [0]), ([0], [9], [0]), ([0], [], [0]), ([0], [1], [-1]), ([0], [1], [40000])],
)
def test_marks_beyond_the_pages_are_refused(numbers: list[int], places: list[int], rows: list[int]) -> None:
    none = Removed.none(20)
    with pytest.raises(ValueError, match="page|place"):
        core.with_rows(none.arrays, none.pages, numbers, places, np.array(rows))
