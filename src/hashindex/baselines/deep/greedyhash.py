"""GreedyHash: Su et al., "Greedy Hash: Towards Fast Optimization for Accurate Hash Coding in CNN", NeurIPS 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from ...learn.deep_hash import DeepHash
from ...learn.losses.objective import Objective
from ..shared.options import check_range
from ..shared.targets import Shares

if TYPE_CHECKING:
    from torch import Tensor
    from typing_extensions import Unpack

    from ...learn.training.options import TrainingOptions


class GreedyHash(DeepHash):
    """A linear classifier on the codes themselves: sign(z) forwards, the identity backwards (section 3.2).

        L = cross-entropy(W sign(z)) + quantisation mean ||z| - 1|**3

    Items of several classes aim at each in equal shares.

    Parameters
    ----------
    n_bits, seed, backbone, training
        As of `HashNet`.
    quantisation
        Weight of the pull of z towards -1 and 1.

    Raises
    ------
    ValueError
        quantisation is negative.
    """

    def __init__(
        self,
        n_bits: int = 32,
        seed: int = 0,
        *,
        backbone: nn.Module | None = None,
        quantisation: float = 0.1,
        **training: Unpack[TrainingOptions],
    ) -> None:
        super().__init__(n_bits, seed, backbone=backbone, **training)
        self.quantisation = check_range(quantisation, "quantisation")

    def objective(self, labels: Tensor, n_steps: int) -> Objective:  # noqa: ARG002
        """Make the classifier."""
        return ClassifiedCodes(Shares(labels), self.n_bits, self.quantisation)


class ClassifiedCodes(Objective):
    """GreedyHash's loss of a batch; the classifier learns along."""

    def __init__(self, shares: Shares, n_bits: int, quantisation: float) -> None:
        super().__init__()
        self.shares = shares
        self.classifier = nn.Linear(n_bits, shares.n_classes, bias=False)
        self.quantisation = quantisation

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Return the cross-entropy of the classes, told from the codes, and the pull of z towards its signs."""
        loss = functional.cross_entropy(self.classifier(straight_through_sign(z)), self.shares(labels))
        return loss + self.quantisation * (z.abs() - 1).abs().pow(3).mean()


def straight_through_sign(z: Tensor) -> Tensor:
    """Return 1 where z > 0, else -1; gradients pass as if it were z."""
    return torch.where(z > 0, 1.0, -1.0) + (z - z.detach())  # in this order exactly -1 and 1
