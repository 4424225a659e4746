"""OrthoHash: Hoe et al., "One Loss for All: Deep Hashing with a Single Cosine Similarity based Learning Objective".

NeurIPS 2021.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from torch.nn import functional

from ...learn.deep_hash import DeepHash
from ...learn.losses.objective import Objective
from ..shared.options import check_range
from ..shared.targets import Shares, class_codes

if TYPE_CHECKING:
    from torch import Tensor, nn
    from typing_extensions import Unpack

    from ...learn.training.options import TrainingOptions


class OrthoHash(DeepHash):
    """One loss: a classifier by the cosine of z to a binary code per class, with a margin (section 3).

        L = cross-entropy of sqrt(n_bits) (cos(z, o_c) - margin [c is a class of the item])

    The codes o_c are orthogonal where a Hadamard matrix has enough rows. A large cosine to a binary code makes z binary
    too, so there is no quantisation loss; z is normalised bit by bit over the batch, as for all methods here. Items of
    several classes aim at each in equal shares.

    Parameters
    ----------
    n_bits, seed, backbone, training
        As of `HashNet`.
    margin
        What the cosine to an item's own classes is lowered by while learning.

    Raises
    ------
    ValueError
        margin is not in 0..2.
    """

    def __init__(
        self,
        n_bits: int = 32,
        seed: int = 0,
        *,
        backbone: nn.Module | None = None,
        margin: float = 0.2,
        **training: Unpack[TrainingOptions],
    ) -> None:
        super().__init__(n_bits, seed, backbone=backbone, **training)
        self.margin = check_range(margin, "margin", most=2)

    def objective(self, labels: Tensor, n_steps: int) -> Objective:  # noqa: ARG002
        """Make the classes' codes."""
        shares = Shares(labels)
        return CosineClassifier(shares, class_codes(shares.n_classes, self.n_bits, self.seed), self.margin)


class CosineClassifier(Objective):
    """OrthoHash's loss of a batch."""

    codes: Tensor

    def __init__(self, shares: Shares, codes: Tensor, margin: float) -> None:
        super().__init__()
        self.shares = shares
        self.register_buffer("codes", codes)
        self.margin = margin

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Return the cross-entropy of the classes, told by cosines."""
        shares = self.shares(labels).to(z.dtype)
        n_bits = self.codes.shape[1]
        cosines = functional.normalize(z, dim=1) @ self.codes.T / sqrt(n_bits)
        return functional.cross_entropy(sqrt(n_bits) * (cosines - self.margin * (shares > 0)), shares)
