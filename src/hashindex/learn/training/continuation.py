"""Continuation: training starts from a smooth tanh(beta z) and approaches the sign in stages of growing beta.

Cao et al., "HashNet", ICCV 2017, algorithm 1. sign(tanh(beta z)) = sign(z) for every beta > 0 (theorem 1): a new
stage changes the gradients, never the codes.
"""

from __future__ import annotations

from bisect import bisect_right
from copy import deepcopy
from math import inf, sqrt
from typing import Any

from ...inputs.numbers import check_at_least

SCHEDULES = ("geometric", "stages", "released", "plateau")


class Continuation:
    """The scale beta as a pure function of the training step: stage s has ``betas[s]`` from step ``starts[s]`` on.

    Nothing is counted along the way, so training can resume at any step.

    Raises
    ------
    ValueError
        Unless 0 < betas[0] <= betas[1] <= ... < infinity and 0 = starts[0] < starts[1] < ...
    """

    def __init__(self, betas: list[float], starts: list[int]) -> None:
        betas, starts = list(betas), list(starts)
        if not betas or not all(0 < beta < inf for beta in betas) or betas != sorted(betas):
            raise ValueError(f"expected betas that are positive, finite and never fall, got {betas}")
        if len(starts) != len(betas) or starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError(f"expected one first step per beta, from 0 upwards, got {starts} for {len(betas)} betas")
        self.betas = betas
        self.starts = starts

    @classmethod
    def constant(cls, beta: float = 1.0) -> Continuation:
        """No continuation: beta stays as it is, 1 unless said otherwise."""
        return cls([beta], [0])

    @classmethod
    def geometric(cls, n_steps: int, n_stages: int = 10, first: float = 1.0, last: float = 10.0) -> Continuation:
        """Equally long stages, beta growing by the same factor from one to the next."""
        n_stages = _n_stages(n_steps, n_stages)
        if not 0 < first <= last < inf:
            raise ValueError(f"expected 0 < first <= last < infinity, got {first} and {last}")
        growth = (last / first) ** (1 / max(n_stages - 1, 1))
        return cls([first * growth**s for s in range(n_stages)], _equal_starts(n_steps, n_stages))

    @classmethod
    def stages(cls, n_steps: int, n_stages: int = 10) -> Continuation:
        """The paper's shape, 1 = beta_0 < beta_1 < ...: equally long stages of beta 1, 2, ... n_stages."""
        n_stages = _n_stages(n_steps, n_stages)
        return cls([float(s + 1) for s in range(n_stages)], _equal_starts(n_steps, n_stages))

    @classmethod
    def released(cls, n_steps: int, gamma: float = 0.005, power: float = 0.5, every: int = 200) -> Continuation:
        """The authors' released training: beta = (1 + gamma step)**power, renewed every 200 steps; 7.1 at 10,000."""
        _n_stages(n_steps, 1)
        starts = list(range(0, n_steps, check_at_least(every, "every", 1)))
        if not (0 <= gamma < inf and 0 <= power < inf):
            raise ValueError(f"gamma and power must be 0 or positive numbers, got {gamma} and {power}")
        return cls([(1 + gamma * start) ** power for start in starts], starts)

    def stage(self, step: int) -> int:
        """Return the stage of a step, counted from 0."""
        if step < 0:
            raise ValueError(f"step must be at least 0, got {step}")
        return bisect_right(self.starts, step) - 1

    def beta(self, step: int) -> float:
        """Return the scale in tanh(beta z) at a step."""
        return self.betas[self.stage(step)]

    def options(self) -> dict[str, Any]:
        """What `from_options` makes the same schedule of: plain numbers."""
        return {"betas": self.betas, "starts": self.starts}

    @staticmethod
    def from_options(options: dict[str, Any]) -> Continuation:
        """Make a schedule of the `options` of another."""
        return (Plateau if "patience" in options else Continuation)(**options)

    def observe(self, step: int, loss: float) -> None:
        """Take note of a step's loss; only `Plateau` minds it."""

    def state(self) -> dict[str, Any]:
        """Return what `resume` takes, plain numbers: the course of the training so far."""
        return {}

    def resume(self, state: dict[str, Any]) -> None:
        """Restore a `state`."""


class Plateau(Continuation):
    """Each stage lasts until its loss stands still: the paper's "to convergence", read off the loss itself.

    A stage ends when the mean loss of ``patience`` steps is not below the last such mean by a share of
    ``tolerance``. The last stage lasts for the rest of the training.
    """

    def __init__(self, betas: list[float], patience: int = 50, tolerance: float = 0.01) -> None:
        super().__init__(betas, list(range(len(betas))))
        self.patience = check_at_least(patience, "patience", 1)
        if not 0 <= tolerance < 1:
            raise ValueError(f"tolerance must be a share from 0 to below 1, got {tolerance}")
        self.tolerance = tolerance
        self.starts = [0]  # of the stages begun so far
        self._last_mean = inf
        self._sum = 0.0
        self._n = 0

    def options(self) -> dict[str, Any]:
        """What `from_options` makes the same schedule of: plain numbers."""
        return {"betas": self.betas, "patience": self.patience, "tolerance": self.tolerance}

    def observe(self, step: int, loss: float) -> None:
        """Take note of a step's loss; end the stage after this step if it stands still."""
        self._sum += loss
        self._n += 1
        if self._n < self.patience:
            return
        mean = self._sum / self._n
        stands_still = mean > self._last_mean * (1 - self.tolerance)
        if stands_still and len(self.starts) < len(self.betas):
            self.starts.append(step + 1)
            mean = inf  # the next stage has another loss
        self._last_mean, self._sum, self._n = mean, 0.0, 0

    def state(self) -> dict[str, Any]:
        """Return what `resume` takes, plain numbers: the course of the training so far."""
        return {"starts": self.starts, "last_mean": self._last_mean, "sum": self._sum, "n": self._n}

    def resume(self, state: dict[str, Any]) -> None:
        """Restore a `state`."""
        self.starts = list(state["starts"])
        self._last_mean, self._sum, self._n = state["last_mean"], state["sum"], state["n"]


def continuation(which: bool | str | Continuation, n_steps: int) -> Continuation:
    """Make a schedule for a training of ``n_steps``: a name, True (geometric), False (beta stays 1), or itself.

    Raises
    ------
    ValueError
        The name is not one of `SCHEDULES`.
    """
    if isinstance(which, Continuation):
        return deepcopy(which)  # its state is that of one training
    if isinstance(which, bool):
        return Continuation.geometric(n_steps) if which else Continuation.constant()
    if which == "geometric":
        return Continuation.geometric(n_steps)
    if which == "stages":
        return Continuation.stages(n_steps)
    if which == "released":
        return Continuation.released(n_steps)
    if which == "plateau":
        return Plateau([sqrt(10) ** (s / 2) for s in range(5)])
    raise ValueError(
        f"continuation must be True, False, a Continuation or one of {', '.join(SCHEDULES)}; got {which!r}"
    )


def _n_stages(n_steps: int, n_stages: int) -> int:
    """As many stages as asked, or one per step if there are fewer steps."""
    if n_steps < 1 or n_stages < 1:
        raise ValueError(f"n_steps and n_stages must be at least 1, got {n_steps} and {n_stages}")
    return min(n_stages, n_steps)


def _equal_starts(n_steps: int, n_stages: int) -> list[int]:
    return [-(-stage * n_steps // n_stages) for stage in range(n_stages)]
