"""KSH, supervised hashing with kernels: bit by bit, what brings inner products of codes nearest to similarity.

Liu, Wang, Ji, Jiang and Chang, "Supervised Hashing with Kernels", CVPR 2012.
"""

from __future__ import annotations

import numpy as np

from ...inputs.numbers import check_at_least
from ..shared.classes import signs, similarity
from .kernel import Kernel, draw_anchors
from .shallow import Floats, Projected, Shallow

RIDGE = 1e-3  # on the variances of features, in units of their mean
N_STEPS = 50  # of gradient ascent per bit


class KSH(Shallow):
    """Minimises |H H' - n_bits S|^2 over codes H of RBF features, S = 1 for similar pairs and -1 for others.

    Each bit is greedy: it best explains what the bits before leave of n_bits S. It starts from an eigenvector and
    climbs from there on a smooth objective, and the better of both is kept. ``losses`` is the objective after each
    bit, per pair and divided by n_bits^2. Any n_bits will do, also above dimension and number of classes.

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes everything random. No global random state changes.
    n_anchors
        Items drawn for the RBF features.
    """

    max_items = 5000  # with multi-hot labels pairs of them may be in memory
    needs_labels = True

    def __init__(self, n_bits: int = 32, seed: int = 0, *, n_anchors: int = 300) -> None:
        super().__init__(n_bits, seed)
        self.n_anchors = check_at_least(n_anchors, "n_anchors", 1)

    def learn(self, x: Floats, classes: Floats, rng: np.random.Generator) -> Projected:
        """Find one bit after the other."""
        anchors, features = draw_anchors(x, self.n_anchors, rng)
        to_white = whitening(features)
        white = features @ to_white
        residue = Residue(classes, self.n_bits)
        pulled = residue.quadratic(white)
        weights = np.zeros((to_white.shape[1], self.n_bits))
        loss = 1.0
        losses = []
        for k in range(self.n_bits):
            weights[:, k], bits = _bit(white, residue, spectral(pulled))
            loss += float(1 - 2 * (bits @ (residue @ bits)) / len(x) ** 2) / self.n_bits**2
            losses.append(loss)
            residue.bits[:, k] = bits
            pulled -= np.outer(white.T @ bits, white.T @ bits)
        return Projected(Kernel(anchors, to_white @ weights), np.array(losses))


class Residue:
    """R = n_bits S - H H', (n, n): what the bits H so far leave to explain. Items of the same classes share a row."""

    def __init__(self, classes: Floats, n_bits: int) -> None:
        kinds, group = np.unique(classes, axis=0, return_inverse=True)
        self.group = group.reshape(-1)
        self.products = n_bits * np.where(similarity(kinds), 1.0, -1.0)
        self.bits = np.zeros((len(classes), n_bits))

    def __matmul__(self, v: Floats) -> Floats:
        """Return R v for v (n,)."""
        sums = np.bincount(self.group, v, len(self.products))
        product: Floats = (self.products @ sums)[self.group] - self.bits @ (self.bits.T @ v)
        return product

    def quadratic(self, white: Floats) -> Floats:
        """Return V'RV, (m, m), for V (n, m)."""
        sums = np.zeros((len(self.products), white.shape[1]))
        np.add.at(sums, self.group, white)
        left = white.T @ self.bits
        product: Floats = sums.T @ self.products @ sums - left @ left.T
        return product


def whitening(features: Floats) -> Floats:
    """Return weights (n_features, n_features) that make centred features uncorrelated, of about unit variance."""
    variances, directions = np.linalg.eigh(features.T @ features / len(features))
    ridge = RIDGE * variances.mean() or 1.0
    weights: Floats = directions / np.sqrt(np.maximum(variances, 0) + ridge)
    return weights


def spectral(pulled: Floats) -> Floats:
    """Maximise a'V'RVa over unit a (m,): the paper's spectral relaxation, given V'RV of white features V (n, m)."""
    first: Floats = np.linalg.eigh(pulled).eigenvectors[:, -1]
    return first


def climb(white: Floats, residue: Residue, start: Floats) -> Floats:
    """Maximise h'Rh over a by gradient ascent, h = 2 / (1 + exp(-Va)) - 1 (its sigmoid smoothing)."""
    a, step = start, 1.0
    h = np.tanh(white @ a / 2)
    pulled = residue @ h
    for _ in range(N_STEPS):
        gradient = white.T @ (pulled * (1 - h**2))
        length = np.linalg.norm(gradient)
        if not length:
            break
        tried = a + step * gradient / length
        h_tried = np.tanh(white @ tried / 2)
        pulled_tried = residue @ h_tried
        if h_tried @ pulled_tried > h @ pulled:
            a, h, pulled = tried, h_tried, pulled_tried
            step *= 1.5
        else:
            step /= 4
    return a


def _bit(white: Floats, residue: Residue, start: Floats) -> tuple[Floats, Floats]:
    """Return the better weights (m,) of those to start from and those found from there, and their signs (n,)."""
    found = [(a, signs(white @ a)) for a in (start, climb(white, residue, start))]
    return max(found, key=lambda one: float(one[1] @ (residue @ one[1])))
