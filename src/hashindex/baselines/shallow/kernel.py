"""RBF features: how near an item is to each of some anchors.

Liu, Wang, Ji, Jiang and Chang, "Supervised Hashing with Kernels", CVPR 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Anchors:
    """exp(-|x - anchor|^2 / scale) for each anchor, minus its mean over the items learned from."""

    points: Floats  # (n_anchors, d)
    scale: float
    means: Floats  # (n_anchors,)

    def __call__(self, x: Floats) -> Floats:
        """Return the features (n, n_anchors) of centred items (n, d)."""
        features = _squared_distances(x, self.points)
        features /= -self.scale
        np.exp(features, out=features)
        features -= self.means
        return features


@dataclass(frozen=True)
class Kernel:
    """Features of centred items, times weights (n_anchors, n_bits), plus offsets (n_bits,)."""

    anchors: Anchors
    weights: Floats
    offsets: Floats | float = 0.0

    def __call__(self, x: Floats) -> Floats:
        """Return the values (n, n_bits) whose signs are the codes of centred items (n, d)."""
        return self.anchors(x) @ self.weights + self.offsets


def draw_anchors(x: Floats, n_anchors: int, rng: np.random.Generator) -> tuple[Anchors, Floats]:
    """Draw anchors among centred items (n, d), all of them if there are no more, and return their features too.

    The scale is half the mean squared distance of items and anchors, so that no unit of measure matters.
    """
    points = x if len(x) <= n_anchors else x[np.sort(rng.choice(len(x), n_anchors, replace=False))]
    scale = float(_squared_distances(x, points).mean()) / 2 or 1.0
    raw = Anchors(points, scale, np.zeros(len(points)))
    features = raw(x)
    means = features.mean(axis=0)
    features -= means
    return Anchors(points, scale, means), features


def _squared_distances(x: Floats, points: Floats) -> Floats:
    squared = x @ (-2 * points.T)
    squared += (x**2).sum(axis=1)[:, None]
    squared += (points**2).sum(axis=1)
    return np.maximum(squared, 0, out=squared)
