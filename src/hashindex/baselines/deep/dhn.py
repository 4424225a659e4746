"""DHN: Zhu, Long, Wang and Cao, "Deep Hashing Network for Efficient Similarity Retrieval", AAAI 2016."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ...learn.deep_hash import DeepHash
from ...learn.losses.objective import Objective
from ...learn.losses.pairwise import PairWeights, pairwise_loss, similarity_of_batch
from ..shared.options import check_range

if TYPE_CHECKING:
    from torch import Tensor, nn
    from typing_extensions import Unpack

    from ...learn.training.options import TrainingOptions


class DHN(DeepHash):
    """Deep hashing network: the pairwise likelihood without weights or continuation, and a pull of u towards -1 and 1.

        L = mean over pairs (log(1 + exp(alpha <u_i, u_j>)) - alpha s_ij <u_i, u_j>)
            + quantisation mean log cosh(|u| - 1),  u = tanh(z)

    The paper has alpha = 1/2, a linear hash layer, and the weight of the quantisation loss from cross-validation. Long
    codes then saturate the sigmoid: HashNet's 10 / n_bits and normalised z, for which the weight was chosen, serve
    it better. Nothing is clipped, so all pairs keep their gradients.

    Parameters
    ----------
    n_bits, seed, backbone, training
        As of `HashNet`.
    alpha
        Scale of the inner products, positive; None is 10 / n_bits.
    quantisation
        Weight of the quantisation loss.

    Raises
    ------
    ValueError
        alpha is not positive, or quantisation is negative.
    """

    def __init__(
        self,
        n_bits: int = 32,
        seed: int = 0,
        *,
        backbone: nn.Module | None = None,
        alpha: float | None = None,
        quantisation: float = 1.0,
        **training: Unpack[TrainingOptions],
    ) -> None:
        super().__init__(n_bits, seed, backbone=backbone, **training)
        if alpha is not None and not 0 < alpha < math.inf:
            raise ValueError(f"alpha must be a positive number, got {alpha}")
        self.alpha = alpha
        self.quantisation = check_range(quantisation, "quantisation")

    def objective(self, labels: Tensor, n_steps: int) -> Objective:  # noqa: ARG002
        """Make the likelihood with its quantisation loss."""
        return PairwiseQuantised(10 / self.n_bits if self.alpha is None else self.alpha, self.quantisation)


class PairwiseQuantised(Objective):
    """DHN's loss of a batch."""

    def __init__(self, alpha: float, quantisation: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.quantisation = quantisation

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Compare all pairs of the batch."""
        u = torch.tanh(z)
        pairs = pairwise_loss(u, u, similarity_of_batch(labels, labels), PairWeights(1.0, 1.0), self.alpha)
        return pairs + self.quantisation * log_cosh(u.abs() - 1).mean()


def log_cosh(x: Tensor) -> Tensor:
    """Return log(cosh(x)), a smooth |x|, without overflow."""
    return x.abs() + functional.softplus(-2 * x.abs()) - torch.log(x.new_tensor(2.0))
