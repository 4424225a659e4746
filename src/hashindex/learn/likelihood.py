"""What HashNet learns by: the weighted likelihood of all pairs, while beta grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from .losses.objective import Objective
from .losses.pairwise import PairWeights, agreement, pairwise_loss, similarity_of_batch

if TYPE_CHECKING:
    from torch import Tensor

    from .losses.memory_bank import MemoryBank
    from .training.continuation import Continuation


class WeightedLikelihood(Objective):
    """The method itself: h = tanh(beta z), then the weighted likelihood of every pair of the batch.

    The likelihood of stage s has alpha / beta_s**soften in place of alpha. As h nears -1 and 1 its products grow, and
    sigmoid(alpha <h, h>) saturates: similar pairs that differ in a few bits of 32 are no longer pulled together (their
    gradient is sigmoid(-7.5)). And the gradient of an undecided bit, z = 0, is proportional to alpha beta: with
    soften = 1 it keeps its scale from stage to stage. Not in the paper, which has soften = 0: a growing beta then
    costs MAP here. Where items are hard to tell apart less is better than 1, which pulls on easy pairs for ever.
    """

    def __init__(
        self,
        alpha: float,
        continuation: Continuation,
        weights: PairWeights,
        bank: MemoryBank | None,
        *,
        by_batch: bool,
        partial: bool,
        soften: float,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.continuation = continuation
        self.weights = weights
        self.bank = bank
        self.by_batch = by_batch
        self.partial = partial
        self.soften = soften

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Compare the batch with itself, and with what the bank remembers."""
        beta = self.continuation.beta(step)
        h = torch.tanh(beta * z)
        others, other_labels = h, labels
        if self.bank is not None:
            remembered = self.bank.remembered()
            others = torch.cat([h, torch.tanh(beta * remembered.z)])
            other_labels = torch.cat([labels, remembered.labels])
            self.bank.put(z, labels)
        return self.likelihood(h, labels, others, other_labels, beta)

    def likelihood(self, h: Tensor, labels: Tensor, others: Tensor, other_labels: Tensor, beta: float = 1.0) -> Tensor:
        """Return the loss of all pairs of h (n, n_bits) with the others (m, n_bits), as in the stage of ``beta``.

        The others begin with h itself.
        """
        alpha = self.alpha / beta**self.soften
        similar = similarity_of_batch(labels, other_labels)
        weights = _shares(similar) if self.by_batch else self.weights
        partly = agreement(labels, other_labels) if self.partial else None
        return pairwise_loss(h, others, similar, weights, alpha, partly)

    def observe(self, step: int, loss: float) -> None:
        """Let the schedule know how it goes."""
        self.continuation.observe(step, loss)

    def describe(self, step: int) -> tuple[int, float]:
        """Return the stage and the beta of a step."""
        return self.continuation.stage(step), self.continuation.beta(step)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the state of the schedule, which checkpoints keep."""
        return self.continuation.state()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore the state of the schedule."""
        self.continuation.resume(state)


def _shares(similar: Tensor) -> PairWeights:
    """Weigh by the pairs at hand; where a kind of pair does not exist its weight multiplies nothing."""
    n, n_similar = similar.numel(), int(similar.count_nonzero())
    return PairWeights(n / max(n_similar, 1), n / max(n - n_similar, 1))
