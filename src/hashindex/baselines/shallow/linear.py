"""Linear projections: weights, and principal directions to choose them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """Centred items (n, d) times weights (d, n_bits)."""

    weights: Floats

    def __call__(self, x: Floats) -> Floats:
        """Return the values (n, n_bits) whose signs are the codes of centred items (n, d)."""
        return x @ self.weights


class Principal(NamedTuple):
    """Directions in which items vary, the widest first; as many as their rank."""

    directions: Floats  # (d, rank), orthonormal columns
    variances: Floats  # (rank,)


def principal(x: Floats) -> Principal:
    """Find the principal directions of centred items (n, d) from the smaller of x'x and xx'."""
    wide = x.shape[1] > len(x)
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > values[0] * 1e-12  # the rest is rounding
    values, vectors = values[kept], vectors[:, kept]
    if wide:
        vectors = x.T @ (vectors / np.sqrt(values))
    return Principal(vectors, values / len(x))
