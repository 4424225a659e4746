"""The schedules of beta: stages, bounds, what ends a stage, and what is written down of them."""

import json
from typing import Any

import pytest

pytest.importorskip("torch")

from hypothesis import given
from hypothesis import strategies as st

from hashindex.learn import Continuation, Plateau
from hashindex.learn.training.continuation import SCHEDULES, continuation


@given(n_steps=st.integers(1, 300), n_stages=st.integers(1, 30), first=st.floats(0.1, 1.9), last=st.floats(2, 50))
def test_geometric_stages_never_fall_and_end_at_the_last_beta(
    n_steps: int, n_stages: int, first: float, last: float
) -> None:
    schedule = Continuation.geometric(n_steps, n_stages, first, last)
    betas = [schedule.beta(step) for step in range(n_steps)]
    stages = [schedule.stage(step) for step in range(n_steps)]
    n_stages = min(n_stages, n_steps)
    assert betas == sorted(betas)
    assert set(stages) == set(range(n_stages))
    assert stages == sorted(stages)
    lengths = [stages.count(stage) for stage in set(stages)]
    assert max(lengths) - min(lengths) <= 1
    assert betas[0] == first
    assert betas[-1] == pytest.approx(last if n_stages > 1 else first)
    growths = [b / a for a, b in zip(schedule.betas, schedule.betas[1:], strict=False)]
    assert growths == pytest.approx([(last / first) ** (1 / (n_stages - 1))] * (n_stages - 1) if growths else [])


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "plateau"])
@given(order=st.permutations(range(20)))
def test_beta_is_a_function_of_the_step_alone(name: str, order: Any) -> None:
    schedule = continuation(name, 20)
    expected = [schedule.beta(step) for step in range(20)]
    for step in order:
        schedule.observe(step, 1.0)
        assert schedule.beta(step) == expected[step]
    assert schedule.state() == {}


def test_named_schedules_are_what_they_are_called() -> None:
    geometric = continuation(True, 40)
    assert geometric.options() == continuation("geometric", 40).options() == Continuation.geometric(40).options()
    assert [geometric.beta(step) for step in (0, 39, 40, 10**6)] == pytest.approx([1, 10, 10, 10])
    stages = continuation("stages", 50)
    assert [stages.beta(step) for step in range(0, 50, 5)] == list(range(1, 11))
    assert [stages.stage(step) for step in (0, 4, 5, 49, 50, 10**6)] == [0, 0, 1, 9, 9, 9]
    assert {continuation(False, 40).beta(step) for step in range(60)} == {1.0}
    assert Continuation.constant(3).beta(7) == 3
    plateau = continuation("plateau", 40)
    assert isinstance(plateau, Plateau)
    assert (plateau.betas[0], plateau.betas[-1]) == pytest.approx((1, 10))
    for unknown in ("linear", None, 3):
        with pytest.raises(ValueError, match="geometric, stages, released, plateau"):
            continuation(unknown, 40)  # type: ignore[arg-type]


def test_the_released_schedule_is_that_of_the_authors() -> None:
    schedule = continuation("released", 10_001)
    expected = {0: 1, 200: 1.41, 1000: 2.45, 2000: 3.32, 5000: 5.10, 10_000: 7.14}
    assert {step: round(schedule.beta(step), 2) for step in expected} == expected
    assert schedule.beta(199) == 1
    assert schedule.beta(399) == schedule.beta(200) < schedule.beta(400)


def test_a_plateau_ends_a_stage_when_its_loss_stands_still() -> None:
    schedule = Plateau([1, 2, 4], patience=3, tolerance=0.1)
    seen = []
    # means of three: 9, 6 (falls), 5.9 (does not, by a tenth), a new stage: 8, 7.9 (does not), the last stage
    for step, loss in enumerate([9, 8, 10, 6, 6, 6, 5.8, 5.9, 6, 8, 8, 8, 7.9, 7.9, 7.9, 7.9, 7.9, 7.9, 7.9, 7.9, 7.9]):
        seen.append((schedule.stage(step), schedule.beta(step)))
        schedule.observe(step, loss)
    assert seen == [(0, 1)] * 9 + [(1, 2)] * 6 + [(2, 4)] * 6
    assert schedule.starts == [0, 9, 15]
    assert schedule.beta(8) == 1  # past steps keep theirs
    assert schedule.stage(1000) == 2


def test_a_plateau_with_falling_losses_stays_in_its_stage() -> None:
    schedule = Plateau([1, 2], patience=2, tolerance=0.05)
    for step in range(40):
        schedule.observe(step, 0.9 ** (step // 2))
    assert schedule.starts == [0]
    for step in range(40, 44):
        schedule.observe(step, 0.01)
    assert schedule.starts == [0, 44]


@given(cut=st.integers(0, 30))
def test_a_plateau_goes_on_from_what_json_keeps(cut: int) -> None:
    losses = [1 / (1 + step % 7) for step in range(30)]
    whole = Plateau([1, 2, 3, 4], patience=4, tolerance=0.3)
    first = Plateau([1, 2, 3, 4], patience=4, tolerance=0.3)
    for step, loss in enumerate(losses):
        whole.observe(step, loss)
        if step < cut:
            first.observe(step, loss)
    second = Continuation.from_options(json.loads(json.dumps(first.options())))
    second.resume(json.loads(json.dumps(first.state())))
    for step in range(cut, 30):
        second.observe(step, losses[step])
    assert isinstance(second, Plateau)
    assert second.state() == whole.state()
    assert len(whole.starts) > 1


def test_a_training_leaves_the_schedule_it_was_given_alone() -> None:
    given_one = Plateau([1, 2], patience=1)
    used = continuation(given_one, 10)
    for step in range(5):
        used.observe(step, 1.0)
    assert used.starts == [0, 2]
    assert given_one.starts == [0]


def test_any_sequence_will_do_and_is_copied() -> None:
    betas = [1.0, 2.0]
    schedule = Continuation(betas, (0, 5))  # type: ignore[arg-type]
    betas.append(0.0)
    assert schedule.options() == {"betas": [1.0, 2.0], "starts": [0, 5]}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Continuation([], []), "betas"),
        (lambda: Continuation([0, 1], [0, 1]), "betas"),
        (lambda: Continuation([2, 1], [0, 1]), r"never fall, got \[2, 1\]"),
        (lambda: Continuation([1, float("inf")], [0, 1]), "finite"),
        (lambda: Continuation([float("nan")], [0]), "finite"),
        (lambda: Continuation([1, 2], [0]), r"one first step per beta.*got \[0\] for 2"),
        (lambda: Continuation([1, 2], [1, 2]), "from 0 upwards"),
        (lambda: Continuation([1, 2], [0, 0]), "from 0 upwards"),
        (lambda: Continuation.geometric(0), "got 0 and 10"),
        (lambda: Continuation.geometric(10, 0), "got 10 and 0"),
        (lambda: Continuation.geometric(10, first=5, last=4), "got 5 and 4"),
        (lambda: Continuation.geometric(10, first=0), "got 0"),
        (lambda: Continuation.geometric(10, last=float("inf")), "got 1.0 and inf"),
        (lambda: Continuation.stages(0), "got 0"),
        (lambda: Continuation.released(0), "got 0"),
        (lambda: Plateau([1, 2], patience=0), "patience must be at least 1, got 0"),
        (lambda: Plateau([1, 2], tolerance=1.5), "tolerance.*got 1.5"),
        (lambda: Plateau([2, 1]), "never fall"),
        (lambda: Continuation.constant().beta(-1), "got -1"),
    ],
)
def test_bad_schedules_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
