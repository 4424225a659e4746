"""SDH, supervised discrete hashing: codes that a linear classifier reads well, found bit by bit.

Shen, Shen, Liu and Shen, "Supervised Discrete Hashing", CVPR 2015.
"""

from __future__ import annotations

import math

import numpy as np

from ...inputs.numbers import check_at_least
from ..shared.classes import signs
from .kernel import Kernel, draw_anchors
from .shallow import Floats, Projected, Shallow

N_ITERATIONS = 5  # the paper's
MAX_SWEEPS = 10
RIDGE = 1e-4  # on the weights of features, in units of their mean square


class SDH(Shallow):
    """Alternates between codes, a classifier W of codes and a regression F of codes on RBF features.

    The objective is sum |y - W'b|^2 + lambda |W|^2 + nu sum |b - F(x)|^2, ``losses`` after each step and divided by
    the number of items. Any n_bits will do, also above dimension and number of classes: the features are as many as
    the anchors. F has a constant term and a slight ridge, which the paper does not have; with one class all items may
    get the same code, as the objective asks.

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes everything random. No global random state changes.
    n_anchors
        Items drawn for the RBF features.
    lam, nu
        The paper's lambda and nu.
    """

    max_items = 2**15
    needs_labels = True

    def __init__(
        self, n_bits: int = 32, seed: int = 0, *, n_anchors: int = 1000, lam: float = 1.0, nu: float = 1e-5
    ) -> None:
        super().__init__(n_bits, seed)
        self.n_anchors = check_at_least(n_anchors, "n_anchors", 1)
        if not (0 < lam < math.inf and 0 < nu < math.inf):
            raise ValueError(f"lam and nu must be positive numbers, got {lam} and {nu}")
        self.lam = lam
        self.nu = nu

    def learn(self, x: Floats, classes: Floats, rng: np.random.Generator) -> Projected:
        """Alternate between classifier, regression and codes."""
        anchors, features = draw_anchors(x, self.n_anchors, rng)
        n, n_features = features.shape
        gram = features.T @ features
        ridge = RIDGE * (np.trace(gram) / n_features or 1.0)
        gram[np.diag_indices(n_features)] += ridge
        bits = signs(rng.standard_normal((n, self.n_bits)))
        losses = []
        while True:
            w = _solve(bits.T @ bits + self.lam * np.eye(self.n_bits), bits.T @ classes)
            p = _solve(gram, features.T @ bits)
            offsets = bits.mean(axis=0)
            fitted = features @ p + offsets
            loss = ((classes - bits @ w) ** 2).sum() + self.lam * (w**2).sum()
            losses.append((loss + self.nu * (((bits - fitted) ** 2).sum() + ridge * (p**2).sum())) / n)
            if len(losses) > N_ITERATIONS:
                break
            bits = descend(bits, classes @ w.T + self.nu * fitted, w)
        return Projected(Kernel(anchors, p, offsets), np.array(losses))


def descend(bits: Floats, q: Floats, w: Floats) -> Floats:
    """The paper's discrete cyclic coordinate descent: lower |B W|^2 - 2 tr(B'Q) over signs B, column by column.

    Parameters
    ----------
    bits
        Where to start, -1 and 1, (n, n_bits).
    q, w
        (n, n_bits) and (n_bits, n_classes).

    Returns
    -------
    B, float64 (n, n_bits), which no change of a single column betters, or what ten sweeps gave.
    """
    bits = np.asfortranarray(bits)
    gram = w @ w.T
    others = gram - np.diag(np.diag(gram))
    for _ in range(MAX_SWEEPS):
        n_changed = 0
        for k in range(bits.shape[1]):
            column = signs(q[:, k] - bits @ others[:, k])
            n_changed += int(np.count_nonzero(column != bits[:, k]))
            bits[:, k] = column
        if not n_changed:
            break
    return bits


def _solve(gram: Floats, right: Floats) -> Floats:
    return np.asarray(np.linalg.solve(gram, right), np.float64)
