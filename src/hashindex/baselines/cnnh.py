"""CNNH: Xia et al., "Supervised Hashing for Image Retrieval via Image Representation Learning", AAAI 2014."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..learn.deep_hash import DeepHash
from ..learn.loss import similarity
from ..learn.objective import Objective

MOST_KINDS = 1000  # different rows of labels that get codes of their own
SWEEPS = 10  # over all bits


class CNNH(DeepHash):
    """Two stages: codes that explain the similarities, found first; then a network that regresses them.

    Stage 1 minimises |S - H H^T / n_bits|^2 over signs H by coordinate descent, where S is 1 for similar pairs and -1
    for others. Items with the same labels have the same similarities, and are given the same code: the sum runs over
    kinds of labels, each weighted by its items. Of more than 1,000 kinds (multi-hot labels) the commonest get codes,
    and the others the code of the kind they share most classes with. Stage 2 minimises mean (tanh(z) - H)**2.
    """

    def objective(self, labels: Tensor, n_steps: int) -> Objective:  # noqa: ARG002
        """Find the codes, and let the network regress them."""
        by_row = 0 if labels.ndim == 2 else None
        kinds, kind_of, counts = torch.unique(labels, dim=by_row, return_inverse=True, return_counts=True)
        common = torch.argsort(counts, descending=True, stable=True)[:MOST_KINDS]
        similar = similarity(kinds[common], kinds[common]).numpy()
        codes = codes_of_similarity(similar, counts[common].double().numpy(), self.n_bits, self.seed)
        nearest = torch.empty(len(kinds), dtype=torch.int64)
        nearest[common] = torch.arange(len(common))
        if len(kinds) > MOST_KINDS:
            rare = torch.argsort(counts, descending=True, stable=True)[MOST_KINDS:]
            nearest[rare] = (kinds[rare].float() @ kinds[common].float().T).argmax(dim=1)
        return Regression(torch.from_numpy(codes).float()[nearest[kind_of]])


class Regression(Objective):
    """Stage 2: the mean squared distance of tanh(z) to the codes of the items."""

    codes: Tensor

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)  # (n_items, n_bits), -1 and 1

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Compare with the codes of these items."""
        return (torch.tanh(z) - self.codes[rows.to(z.device)]).square().mean()


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
