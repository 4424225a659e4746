"""Classes as what deep baselines aim at: shares of an item's classes, and one binary code per class."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

_DRAWS = 50  # random codes tried, the best kept
_BLOCK_ROWS = 256  # classes compared with all others at once


class Shares(nn.Module):
    """Class numbers or multi-hot labels -> float32 (n, n_classes), each row the classes of an item in equal shares.

    A row without any class is all zero: a cross-entropy with it is 0.
    """

    known: Tensor

    def __init__(self, labels: Tensor) -> None:
        super().__init__()
        known = torch.unique(labels) if labels.ndim == 1 else torch.arange(labels.shape[1])
        self.register_buffer("known", known, persistent=False)

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.known)

    def forward(self, labels: Tensor) -> Tensor:
        """Return the shares."""
        if labels.ndim == 1:
            return (labels[:, None] == self.known).float()
        hot = labels.float()
        return hot / hot.sum(dim=1, keepdim=True).clamp(min=1)


def class_codes(n_classes: int, n_bits: int, seed: int) -> Tensor:
    """Return a code of -1 and 1 per class, float32 (n_classes, n_bits), the codes far from each other.

    Rows of a Hadamard matrix and of its negative where n_bits is a power of two and they suffice: half of the bits
    differ, or all. Otherwise fair coin flips, the draw with the largest least distance of several (Yuan et al.,
    "Central Similarity Quantization", CVPR 2020, section 3.2).
    """
    rng = np.random.default_rng(seed)
    if n_bits & (n_bits - 1) == 0 and n_classes <= 2 * n_bits:
        rows = hadamard(n_bits)
        both = np.concatenate([rng.permutation(rows), -rng.permutation(rows)])
        return torch.from_numpy(both[:n_classes].astype(np.float32))
    draws = (_flips(rng, n_classes, n_bits) for _ in range(_DRAWS))
    return torch.from_numpy(max(draws, key=_least_distance))


def coin_flips(n: int, n_bits: int, seed: int) -> Tensor:
    """Return random codes of -1 and 1, float32 (n, n_bits), independent of `class_codes` of the same seed."""
    return torch.from_numpy(_flips(np.random.default_rng([seed, 1]), n, n_bits))


def hadamard(n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the Hadamard matrix (n, n) of Sylvester's construction; n is a power of two."""
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def _flips(rng: np.random.Generator, n: int, n_bits: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return rng.choice(np.array([-1, 1], np.float32), size=(n, n_bits))


def _least_distance(codes: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    nearest = -np.inf
    for start in range(0, len(codes), _BLOCK_ROWS):
        products = codes[start : start + _BLOCK_ROWS] @ codes.T
        np.fill_diagonal(products[:, start:], -np.inf)
        nearest = max(nearest, float(products.max()))
    return -nearest
