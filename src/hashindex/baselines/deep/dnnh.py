"""DNNH: Lai, Pan, Liu and Yan, "Simultaneous Feature Learning and Hash Coding with Deep Neural Networks", CVPR 2015."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from ...learn.deep_hash import DeepHash
from ...learn.losses.objective import Objective
from ...learn.losses.pairwise import similarity
from ..shared.options import check_range

if TYPE_CHECKING:
    from torch import Tensor
    from typing_extensions import Unpack

    from ...learn.training.options import TrainingOptions

SLICE = 16  # features that one bit is made of
MOST_TRIPLETS = 2**22  # compared in one batch
EPSILON = 0.1  # half the width of the threshold's slope


class DNNH(DeepHash):
    """Triplets on relaxed codes, each bit from a slice of the features of its own.

        L = mean over triplets max(0, margin - |f - f-|^2 + |f - f+|^2),  f = threshold(sigmoid(z)) in 0..1

    Divide and encode (section 3.2): the features are mapped to slices, and each slice to one bit, so that bits say
    different things. The threshold is 0 and 1 outside 0.5 - epsilon .. 0.5 + epsilon and the identity inside. The
    paper's margin is 1; here distances are divided by n_bits and the margin is a quarter, so that it means the same
    at any length.

    Parameters
    ----------
    n_bits, seed, backbone, training
        As of `HashNet`.
    margin
        By how much of all bits a dissimilar item should be farther than a similar one.

    Raises
    ------
    ValueError
        margin is not in 0..1.
    """

    def __init__(
        self,
        n_bits: int = 32,
        seed: int = 0,
        *,
        backbone: nn.Module | None = None,
        margin: float = 0.25,
        **training: Unpack[TrainingOptions],
    ) -> None:
        super().__init__(n_bits, seed, backbone=backbone, **training)
        self.margin = check_range(margin, "margin", most=1)

    def hash_layer(self, width: int) -> nn.Module:
        """Divide the features into slices, and encode each into one bit."""
        encode = nn.Conv1d(self.n_bits * SLICE, self.n_bits, kernel_size=1, groups=self.n_bits)
        divide = nn.Linear(width, self.n_bits * SLICE)
        return nn.Sequential(
            divide, nn.Unflatten(1, (-1, 1)), encode, nn.Flatten(), nn.BatchNorm1d(self.n_bits, affine=False)
        )

    def objective(self, labels: Tensor, n_steps: int) -> Objective:  # noqa: ARG002
        """Make the triplet loss."""
        return Triplets(self.margin)


class Triplets(Objective):
    """DNNH's loss of a batch: of all its triplets, or those of its first anchors where they are too many."""

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Compare each anchor's similar items with its dissimilar ones."""
        return triplet_loss(piecewise_threshold(torch.sigmoid(z)), similarity(labels, labels), self.margin)


def piecewise_threshold(s: Tensor, epsilon: float = EPSILON) -> Tensor:
    """Return 0 below 0.5 - epsilon, 1 above 0.5 + epsilon, s between; gradients pass everywhere.

    The paper's have none outside the slope, where its bits would never change again after the norm of z here.
    """
    hard = torch.where(s < 0.5 - epsilon, 0.0, torch.where(s > 0.5 + epsilon, 1.0, s))
    return s + (hard - s).detach()


def triplet_loss(relaxed: Tensor, similar: Tensor, margin: float, most: int = MOST_TRIPLETS) -> Tensor:
    """Average max(0, margin - d(i, k) + d(i, j)) over similar pairs i, j != i and k dissimilar to i; 0 without any.

    ``relaxed`` (n, n_bits) in 0..1, ``similar`` bool (n, n); d is the mean squared difference of the bits. Of more
    than ``most`` combinations of a pair with any item, those of the first pairs are compared.
    """
    n, n_bits = relaxed.shape
    squares = relaxed.square().sum(dim=1)
    distances = (squares[:, None] + squares - 2 * relaxed @ relaxed.T) / n_bits
    others = similar & ~torch.eye(n, dtype=torch.bool, device=similar.device)
    i, j = others.nonzero()[: max(most // n, 1)].T
    losses = torch.relu(margin + distances[i, j][:, None] - distances[i])
    dissimilar = ~similar[i]
    return (losses * dissimilar).sum() / dissimilar.sum().clamp(min=1)
