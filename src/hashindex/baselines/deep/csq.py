"""CSQ: Yuan et al., "Central Similarity Quantization for Efficient Image and Video Retrieval", CVPR 2020."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ...learn.deep_hash import DeepHash
from ...learn.losses.objective import Objective
from ..shared.options import check_range
from ..shared.targets import Shares, class_codes, coin_flips
from .dhn import log_cosh

if TYPE_CHECKING:
    from torch import Tensor, nn
    from typing_extensions import Unpack

    from ...learn.training.options import TrainingOptions


class CSQ(DeepHash):
    """Central similarity: each class has a hash centre, fixed beforehand, that its items' bits are drawn to.

        L = binary cross-entropy of (tanh(z) + 1) / 2 to the centre's bits + quantisation mean log cosh(|tanh(z)| - 1)

    Centres are rows of a Hadamard matrix, or random where those do not suffice (section 3.2). The centre of an item of
    several classes is the majority of theirs, bit by bit, ties broken by coin flips drawn once; items without a class
    have no centre and count nothing.

    Parameters
    ----------
    n_bits, seed, backbone, training
        As of `HashNet`.
    quantisation
        Weight of the pull of tanh(z) towards -1 and 1; the paper's 1e-4.

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
        quantisation: float = 1e-4,
        **training: Unpack[TrainingOptions],
    ) -> None:
        super().__init__(n_bits, seed, backbone=backbone, **training)
        self.quantisation = check_range(quantisation, "quantisation")

    def objective(self, labels: Tensor, n_steps: int) -> Objective:  # noqa: ARG002
        """Make the centres."""
        shares = Shares(labels)
        centres = class_codes(shares.n_classes, self.n_bits, self.seed)
        return CentralSimilarity(shares, centres, coin_flips(1, self.n_bits, self.seed)[0], self.quantisation)


class CentralSimilarity(Objective):
    """CSQ's loss of a batch."""

    centres: Tensor
    tie_breaker: Tensor

    def __init__(self, shares: Shares, centres: Tensor, tie_breaker: Tensor, quantisation: float) -> None:
        super().__init__()
        self.shares = shares
        self.register_buffer("centres", centres)
        self.register_buffer("tie_breaker", tie_breaker)
        self.quantisation = quantisation

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Draw every item to its centre."""
        votes = (self.shares(labels) > 0).to(self.centres.dtype) @ self.centres  # whole numbers: a tie is exactly 0
        wanted = torch.where(votes == 0, self.tie_breaker, votes) > 0
        has_class = labels.new_ones(len(labels)) if labels.ndim == 1 else (labels.sum(dim=1) > 0)
        # (tanh(z) + 1) / 2 = sigmoid(2 z): the cross-entropy of logits 2 z cannot overflow.
        losses = functional.binary_cross_entropy_with_logits(2 * z, wanted.to(z.dtype), reduction="none")
        central = (losses.mean(dim=1) * has_class).sum() / has_class.sum().clamp(min=1)
        return central + self.quantisation * log_cosh(torch.tanh(z).abs() - 1).mean()
