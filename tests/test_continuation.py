"""The schedule of beta: stages, bounds, and nothing but the step decides."""

from typing import Any

import pytest

pytest.importorskip("torch")

from hypothesis import given
from hypothesis import strategies as st

from hashindex.learn import Continuation

SCHEDULES = st.builds(
    Continuation,
    n_steps=st.integers(1, 300),
    n_stages=st.integers(1, 30),
    first=st.floats(0.1, 1.9),
    last=st.floats(2, 50),
)


@given(SCHEDULES)
def test_beta_never_falls_and_stays_in_its_range(schedule: Any) -> None:
    steps = range(schedule.n_steps)
    betas = [schedule.beta(step) for step in steps]
    stages = [schedule.stage(step) for step in steps]
    assert betas == sorted(betas)
    assert stages == sorted(stages)
    assert betas[0] == schedule.first
    assert set(stages) <= set(range(schedule.n_stages))
    assert len(set(betas)) == len(set(stages))
    if 1 < schedule.n_stages <= schedule.n_steps:
        assert betas[-1] == pytest.approx(schedule.last)


@given(SCHEDULES, st.permutations(range(20)))
def test_beta_is_a_function_of_the_step_alone(schedule: Any, order: Any) -> None:
    expected = [schedule.beta(step) for step in range(20)]
    shuffled = {step: schedule.beta(step) for step in order}
    assert [shuffled[step] for step in range(20)] == expected


def test_stages_are_equally_long_and_grow_by_one_factor() -> None:
    schedule = Continuation(n_steps=40, n_stages=4, first=1, last=8)
    assert [schedule.beta(step) for step in range(0, 40, 10)] == pytest.approx([1, 2, 4, 8])
    assert [schedule.stage(step) for step in (0, 9, 10, 39, 40, 10**6)] == [0, 0, 1, 3, 3, 3]


def test_one_stage_is_no_continuation() -> None:
    assert {Continuation(50, n_stages=1).beta(step) for step in range(60)} == {2.0}


@pytest.mark.parametrize(
    "options",
    [{"n_steps": 0}, {"n_stages": 0}, {"first": 0.0}, {"first": 5.0, "last": 4.0}, {"last": float("inf")}],
)
def test_bad_schedules_are_refused(options: Any) -> None:
    with pytest.raises(ValueError, match="got"):
        Continuation(**{"n_steps": 10, **options})


def test_a_negative_step_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        Continuation(10).beta(-1)
