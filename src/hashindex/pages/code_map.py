"""Lay the distinct codes out in the plane so that near codes lie near (t-SNE)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_CODES = 1500  # a few seconds


@dataclass(frozen=True)
class CodeMap:
    """A plane picture of distinct database codes (t-SNE), one row each."""

    positions: NDArray[np.float64]  # (n, 2)
    labels: NDArray[np.int64]  # (n,), the commonest class among the images with this code
    counts: NDArray[np.int64]  # (n,), images with this code
    n_distinct: int  # before sampling


def code_map(codes: NDArray[np.uint8], labels: NDArray[np.int64], seed: int) -> CodeMap | None:
    """t-SNE of at most ``MAX_CODES`` distinct codes; None when there are fewer than four.

    ``codes`` (n, code_size) packed uint8, ``labels`` (n,). The squared Euclidean distance of two rows of
    bits is their Hamming distance. t-SNE: van der Maaten and Hinton, JMLR 2008.
    """
    from sklearn.manifold import TSNE

    distinct, row, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    if len(distinct) < 4:
        return None
    n_labels = int(labels.max()) + 1
    votes = np.bincount(row.ravel() * n_labels + labels, minlength=len(distinct) * n_labels)
    commonest = votes.reshape(len(distinct), n_labels).argmax(axis=1)
    kept = np.sort(np.random.default_rng(seed).permutation(len(distinct))[:MAX_CODES])
    bits = np.unpackbits(distinct[kept], axis=1).astype(np.float32)
    tsne = TSNE(init="pca", perplexity=min(30.0, (len(kept) - 1) / 3), random_state=seed)
    return CodeMap(
        positions=tsne.fit_transform(bits).astype(np.float64),
        labels=commonest[kept].astype(np.int64),
        counts=counts[kept].astype(np.int64),
        n_distinct=len(distinct),
    )
