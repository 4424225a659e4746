"""How many pairs of items are similar, from counts of labels: what HashNet's weights follow from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...inputs.items import Labels

_BLOCK_ROWS = 1024  # distinct multi-hot rows compared with all others at once


class SimilarPairs(NamedTuple):
    """The share of similar pairs in [0, 1], items paired with themselves included, and the weights it implies.

    The weights are |S| / |S1| of a similar pair and |S| / |S0| of a dissimilar one (Cao et al., ICCV 2017, "Model
    Formulation"), or 1 where there is no such pair; `hashindex.learn.pair_weights` gives the same for tensors.
    """

    share: float
    similar_weight: float
    dissimilar_weight: float


def similar_pairs(labels: Labels, *, most_rows: int = 20_000, seed: int = 0) -> SimilarPairs:
    """Count the pairs with equal class numbers (n,), or of multi-hot rows (n, n_classes) that share a class.

    Exact: O(n) for class numbers; for multi-hot labels every distinct row is compared with every other. Above
    `most_rows` distinct rows so many items are drawn by `seed` and stand for all.

    Raises
    ------
    ValueError
        There are no labels.
    """
    if len(labels) == 0:
        raise ValueError("expected at least one label, got none")
    if labels.ndim == 1:
        counts = np.unique(labels, return_counts=True)[1].astype(float)
        n_similar = float(counts @ counts)
    else:
        rows, counts = _distinct(labels)
        if len(rows) > most_rows:
            rows, counts = _distinct(np.random.default_rng(seed).permutation(labels)[:most_rows])
        n_similar = 0.0
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            n_similar += float(counts[block] @ ((rows[block] @ rows.T > 0) @ counts))
        n_similar += float(counts[~rows.any(axis=1)].sum())  # without a label, similar to themselves alone
    n_pairs = float(counts.sum()) ** 2
    n_dissimilar = n_pairs - n_similar
    return SimilarPairs(
        n_similar / n_pairs,
        n_pairs / n_similar if n_similar else 1.0,
        n_pairs / n_dissimilar if n_dissimilar else 1.0,
    )


def _distinct(labels: Labels) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    packed = np.packbits(labels.astype(bool), axis=1)
    _, first, counts = np.unique(packed, axis=0, return_index=True, return_counts=True)
    return labels[first].astype(np.float32), counts.astype(float)
