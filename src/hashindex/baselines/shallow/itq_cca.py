"""ITQ-CCA: ITQ on the directions that correlate most with the labels.

Gong and Lazebnik, "Iterative Quantization: A Procrustean Approach to Learning Binary Codes", CVPR 2011, section 4.
"""

from __future__ import annotations

import numpy as np

from .itq import rotate
from .linear import Linear, principal
from .shallow import Floats, Projected, Shallow

# Added to the variances, in units of their mean: without it a direction that hardly varies may correlate by chance.
RIDGE = 1e-1


class ITQCCA(Shallow):
    """Canonical correlation analysis of items and classes, its directions weighted by correlation, then ITQ.

    There are at most n_classes - 1 such directions (n_classes for multi-hot labels), and no more than the rank of the
    items. Above that, they are lifted to n_bits as in `ITQ`: more bits say more about the same directions. With one
    class nothing correlates, and all items get a code of zeros. ``losses`` is as in `ITQ`.

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes everything random. No global random state changes.
    """

    needs_labels = True

    def learn(self, x: Floats, classes: Floats, rng: np.random.Generator) -> Projected:
        """Find directions and their rotation."""
        weights = correlated(x, classes - classes.mean(axis=0))[:, : self.n_bits]
        rotation, losses = rotate(x @ weights, self.n_bits, rng)
        return Projected(Linear(weights @ rotation), losses)


def correlated(x: Floats, y: Floats) -> Floats:
    """Return the canonical directions of centred x (n, d) with y (n, c), times their correlations: (d, rank)."""
    to_white_x, to_white_y = _whiten(x), _whiten(y)
    if not to_white_x.size or not to_white_y.size:
        return np.zeros((x.shape[1], 0))
    covariance = (x @ to_white_x).T @ (y @ to_white_y) / len(x)
    left, correlations, _ = np.linalg.svd(covariance, full_matrices=False)
    kept = correlations > 1e-6
    weights: Floats = to_white_x @ (left * correlations)[:, kept]
    return weights


def _whiten(x: Floats) -> Floats:
    directions, variances = principal(x)
    return directions / np.sqrt(variances + RIDGE * variances.mean()) if variances.size else directions
