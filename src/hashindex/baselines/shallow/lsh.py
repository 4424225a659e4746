"""LSH: signs of random projections.

Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002, section 3.
"""

from __future__ import annotations

import numpy as np

from .linear import Linear
from .shallow import Floats, Projected, Shallow


class LSH(Shallow):
    """Signs of random projections of the centred items: bits differ for a share angle / pi of the hyperplanes.

    Only the mean is learned, so that the hyperplanes cut through the items. Any n_bits will do, also above the
    dimension: hyperplanes are drawn independently.

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes everything random. No global random state changes.
    """

    def learn(self, x: Floats, classes: Floats, rng: np.random.Generator) -> Projected:  # noqa: ARG002
        """Draw hyperplanes."""
        return Projected(Linear(rng.standard_normal((x.shape[1], self.n_bits))), np.empty(0))
