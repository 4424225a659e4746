"""Continuation: training starts from a smooth tanh(beta z) and approaches the sign in stages of growing beta.

Cao et al., "HashNet", ICCV 2017, algorithm 1. sign(tanh(beta z)) = sign(z) for every beta > 0 (theorem 1): a new
stage changes the gradients, never the codes.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Continuation:
    """The scale beta as a pure function of the training step: equally long stages, beta growing geometrically.

    Nothing is counted along the way, so that training can resume at any step. `n_stages=1` keeps beta at `first`:
    no continuation. The paper starts from 1; `HashNet` keeps z at unit variance, and there fewer
    classes end up sharing a code if it starts from 2.

    Raises
    ------
    ValueError
        Unless n_steps >= 1, n_stages >= 1 and 0 < first <= last < infinity.
    """

    n_steps: int
    n_stages: int = 10
    first: float = 2.0
    last: float = 4.0

    def __post_init__(self) -> None:
        if self.n_steps < 1 or self.n_stages < 1:
            raise ValueError(f"n_steps and n_stages must be at least 1, got {self.n_steps} and {self.n_stages}")
        if not 0 < self.first <= self.last < float("inf"):
            raise ValueError(f"expected 0 < first <= last < infinity, got {self.first} and {self.last}")

    def stage(self, step: int) -> int:
        """Return the stage of a step, 0..n_stages - 1; the last one from step n_steps on."""
        if step < 0:
            raise ValueError(f"step must be at least 0, got {step}")
        return min(step * self.n_stages // self.n_steps, self.n_stages - 1)

    def beta(self, step: int) -> float:
        """Return the scale in tanh(beta z) at a step."""
        if self.n_stages == 1:
            return self.first
        progress = self.stage(step) / (self.n_stages - 1)
        return float(self.first * (self.last / self.first) ** progress)
