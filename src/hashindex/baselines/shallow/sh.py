"""SH, spectral hashing: signs of the smoothest functions on a box around the items.

Weiss, Torralba and Fergus, "Spectral Hashing", NIPS 2008, section 3 and its algorithm.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .linear import Linear, principal
from .shallow import Floats, Projected, Shallow


@dataclass(frozen=True)
class Eigenfunctions:
    """cos(pi k (y - a) / (b - a)) along principal components y in [a, b], the component and k by bit.

    They are the eigenfunctions of the Laplacian of a uniform distribution on a box; their eigenvalue grows with
    k / (b - a). The paper writes sin(pi / 2 + ...).
    """

    directions: Floats  # (d, n_components)
    lowest: Floats  # (n_components,): a
    ranges: Floats  # (n_components,): b - a
    component: NDArray[np.int64]  # (n_bits,)
    k: NDArray[np.int64]  # (n_bits,)

    def __call__(self, x: Floats) -> Floats:
        """Return the values (n, n_bits) whose signs are the codes of centred items (n, d)."""
        inside = (x @ self.directions - self.lowest) / self.ranges
        return np.cos(np.pi * self.k * inside[:, self.component])


class SH(Shallow):
    """Spectral hashing: the n_bits eigenfunctions of smallest eigenvalue along the first n_bits principal components.

    Above the dimension, bits are higher frequencies of the same components, as below it where a component is wide.
    Items that are all the same get a code of zeros.

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes which rows are drawn of more than `max_items`; nothing else is random.
    """

    def learn(self, x: Floats, classes: Floats, rng: np.random.Generator) -> Projected:  # noqa: ARG002
        """Fit the box and choose the smoothest functions."""
        directions = principal(x).directions[:, : self.n_bits]
        if not directions.shape[1]:
            return Projected(Linear(np.zeros((x.shape[1], self.n_bits))), np.empty(0))
        y = x @ directions
        lowest, ranges = y.min(axis=0), np.ptp(y, axis=0)
        component, k = smoothest(ranges, self.n_bits)
        return Projected(Eigenfunctions(directions, lowest, ranges, component, k), np.empty(0))


def smoothest(ranges: Floats, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the n pairs of component and k >= 1 of smallest k / range: two int64 (n,), the smoothest first."""
    heap = [(1 / width, j, 1) for j, width in enumerate(ranges.tolist())]
    heapq.heapify(heap)
    chosen = []
    for _ in range(n):
        _, j, k = heap[0]
        chosen.append((j, k))
        heapq.heapreplace(heap, ((k + 1) / float(ranges[j]), j, k + 1))
    component, k_of = np.array(chosen, np.int64).T
    return component, k_of
