"""CNNH: Xia et al., "Supervised Hashing for Image Retrieval via Image Representation Learning", AAAI 2014."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...learn.deep_hash import DeepHash
from ...learn.losses.objective import Objective
from ...learn.losses.pairwise import similarity
from ..shared.targets import coin_flips

MOST_KINDS = 1000  # different rows of labels that get codes of their own
SWEEPS = 10  # over all bits


class CNNH(DeepHash):
    """Two stages: codes that explain the similarities, found first; then a network that regresses them.

    Stage 1 minimises |S - H H^T / n_bits|^2 over signs H by coordinate descent, where S is 1 for similar pairs and -1
    for others. Items with the same labels have the same similarities, and are given the same code: the sum runs over
    kinds of labels, each weighted by its items: for up to 1,000 kinds nothing is left out. Of more, the commonest
    1,000 enter stage 1; any other takes the code of the one it shares most classes with, or coin flips where it shares
    none (class numbers never do). Stage 2 minimises mean (tanh(z) - H)**2.

    Parameters
    ----------
    n_bits, seed, backbone, training
        As of `HashNet`.
    """

    def objective(self, labels: Tensor, n_steps: int) -> Objective:  # noqa: ARG002
        """Find the codes, and let the network regress them."""
        kinds, kind_of, counts = torch.unique(labels, dim=0, return_inverse=True, return_counts=True)
        order = torch.argsort(counts, descending=True, stable=True)
        common, rare = order[:MOST_KINDS], order[MOST_KINDS:]
        codes = coin_flips(len(kinds), self.n_bits, self.seed)
        similar = similarity(kinds[common], kinds[common]).numpy()
        found = codes_of_similarity(similar, counts[common].double().numpy(), self.n_bits, self.seed)
        codes[common] = torch.from_numpy(found).float()
        if labels.ndim == 2:
            most, nearest = (kinds[rare].float() @ kinds[common].float().T).max(dim=1)
            codes[rare] = torch.where(most[:, None] > 0, codes[common][nearest], codes[rare])
        return Regression(codes, kind_of)


class Regression(Objective):
    """Stage 2: the mean squared distance of tanh(z) to the codes, (n_kinds, n_bits), of the items' kinds (n_items,)."""

    codes: Tensor
    kind_of: Tensor

    def __init__(self, codes: Tensor, kind_of: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)
        self.register_buffer("kind_of", kind_of)

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Compare with the codes of these items."""
        return (torch.tanh(z) - self.codes[self.kind_of[rows.to(z.device)]]).square().mean()


def codes_of_similarity(
    similar: NDArray[np.bool_], counts: NDArray[np.float64], n_bits: int, seed: int
) -> NDArray[np.float64]:
    """Return signs H (n, n_bits) for which sum counts_i counts_j (S_ij - <H_i, H_j> / n_bits)**2 is small.

    Bit by bit, entry by entry: with all else fixed, an entry's best sign is that of the weighted residual's product
    with the bit. Every step keeps or lowers the sum.
    """
    n = len(similar)
    weights = counts / counts.sum()
    wanted = np.where(similar, 1.0, -1.0)
    codes = np.random.default_rng(seed).choice([-1.0, 1.0], size=(n, n_bits))
    for _ in range(SWEEPS):
        for bit in range(n_bits):
            column = codes[:, bit]
            residual = wanted - (codes @ codes.T - np.outer(column, column)) / n_bits
            np.fill_diagonal(residual, 0)  # an entry's product with itself is 1 whatever its sign
            for i in range(n):
                pull = residual[i] @ (weights * column)
                column[i] = column[i] if pull == 0 else np.sign(pull)
    return codes
