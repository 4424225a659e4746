"""Disjoint sets (union-find), joined many pairs at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Forest:
    """Sets of the items 0, 1, ..., n - 1, at first each alone; a set is a tree, and its smallest item the root.

    The work is near linear in the pairs, whatever their order: roots that meet are halved in number by two passes, and
    what one pass makes of them, chains too, is made flat by pointer jumping.
    """

    def __init__(self, n: int) -> None:
        self._parents = np.arange(n)  # never above the item

    def roots(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """The smallest item in the set of each of ``items`` (n,)."""
        parents = self._parents
        roots = parents[items]
        deep = np.flatnonzero(parents[roots] != roots)
        if not len(deep):
            return roots
        while len(deep):  # halve the paths on the way, as one does for a single item
            at = roots[deep]
            above = parents[parents[at]]
            parents[at] = roots[deep] = above
            deep = deep[parents[above] != above]
        parents[items] = roots
        return roots

    def join(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> None:
        """Make one set of those of ``a[i]`` and ``b[i]``, both (n,), for every i."""
        parents = self._parents
        a, b = self.roots(a), self.roots(b)
        while True:
            apart = a != b
            low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
            if not len(low):
                return
            np.minimum.at(parents, high, low)  # every root goes below the smallest that it meets
            above = parents[high]
            while ((further := parents[above]) != above).any():
                parents[high] = above = further
            a, b = parents[low], above
