"""ITQ, iterative quantization: principal components, rotated so that their signs lose little.

Gong and Lazebnik, "Iterative Quantization: A Procrustean Approach to Learning Binary Codes", CVPR 2011, section 2.
"""

from __future__ import annotations

import numpy as np

from ..shared.classes import signs
from .linear import Linear, principal
from .shallow import Floats, Projected, Shallow

N_ITERATIONS = 50  # the paper's


class ITQ(Shallow):
    """Rotates the first n_bits principal components to bring them near the corners of a cube, and takes signs.

    Above the rank r of the items their r components are lifted: the rotation becomes r orthonormal rows of length
    n_bits, learned in the same way, so that more bits say more about the same components. Items that are all the same
    get a code of zeros. ``losses`` is the mean squared distance of values and bits, per bit, for components scaled to
    unit mean square.

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes everything random. No global random state changes.
    """

    def learn(self, x: Floats, classes: Floats, rng: np.random.Generator) -> Projected:  # noqa: ARG002
        """Find components and their rotation."""
        directions = principal(x).directions[:, : self.n_bits]
        rotation, losses = rotate(x @ directions, self.n_bits, rng)
        return Projected(Linear(directions @ rotation), losses)


def rotate(v: Floats, n_bits: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Minimise |B - v R|^2 over signs B (n, n_bits) and R (r, n_bits) with orthonormal rows, for v (n, r), r <= n_bits.

    Returns R and the losses, before the first iteration and after each, float64 (51,). Where v has no columns, or
    fewer than n_bits, the result is that of padding v with zeros.
    """
    if not v.size:
        return np.zeros((v.shape[1], n_bits)), np.empty(0)
    unit = v / np.sqrt((v**2).sum() / (len(v) * n_bits))
    rotation = np.linalg.qr(rng.standard_normal((n_bits, v.shape[1]))).Q.T
    losses = []
    for _ in range(N_ITERATIONS):
        z = unit @ rotation
        bits = signs(z)
        losses.append(np.mean((bits - z) ** 2))
        left, _, right = np.linalg.svd(unit.T @ bits, full_matrices=False)  # orthogonal Procrustes
        rotation = left @ right
    z = unit @ rotation
    losses.append(np.mean((signs(z) - z) ** 2))
    return rotation, np.array(losses)
