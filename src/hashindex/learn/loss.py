"""HashNet's objective: weighted maximum likelihood of pairwise similarities (Cao et al., ICCV 2017, sec. 3.2).

    L = sum w_ij (log(1 + exp(alpha <h_i, h_j>)) - alpha s_ij <h_i, h_j>) / sum w_ij

where s_ij = 1 for similar pairs, w_ij = |S| / |S1| for them and |S| / |S0| for dissimilar ones, and alpha < 1 is
the adaptive sigmoid: long codes have large products, and sigmoid(product) would saturate.
"""

from typing import NamedTuple

import torch
from torch.nn import functional

_BLOCK_ROWS = 1024  # distinct multi-hot rows compared with all others at once


class PairWeights(NamedTuple):
    """What one pair counts, so that similar and dissimilar pairs count the same in total, however rare."""

    similar: float
    dissimilar: float


def similarity(labels_a: torch.Tensor, labels_b: torch.Tensor) -> torch.Tensor:
    """Tell which pairs are similar: bool (n_a, n_b), true if labels are equal or (multi-hot) share a class.

    Labels are class numbers (n,) on both sides, or multi-hot 0/1 (n, n_classes) on both sides.

    Raises
    ------
    ValueError
        The labels are of two kinds.
    """
    if labels_a.ndim != labels_b.ndim or labels_a.shape[1:] != labels_b.shape[1:]:
        raise ValueError(
            "labels must be of one kind, both (n,) or both (n, n_classes); "
            f"got {tuple(labels_a.shape)} and {tuple(labels_b.shape)}"
        )
    if labels_a.ndim == 1:
        return labels_a[:, None] == labels_b[None, :]
    return labels_a.float() @ labels_b.float().T > 0


def pair_weights(labels: torch.Tensor) -> PairWeights:
    """Return |S| / |S1| and |S| / |S0| over all ordered pairs of `labels`, items with themselves included.

    Exact, from counts: class numbers (n,) take O(n) to count and O(n_classes) beyond, multi-hot labels
    (n, n_classes) O(distinct rows squared). Where a kind of pair does not exist its weight is 1: it multiplies
    nothing.

    Raises
    ------
    ValueError
        There are no labels.
    """
    n_pairs = len(labels) ** 2
    if n_pairs == 0:
        raise ValueError("expected at least one label, got none")
    by_row = 0 if labels.ndim == 2 else None
    kinds, counts = torch.unique(labels, dim=by_row, return_counts=True)
    counts = counts.double()  # exact up to 2**53 pairs
    if labels.ndim == 1:
        n_similar = float(counts.square().sum())
    else:
        blocks = zip(kinds.split(_BLOCK_ROWS), counts.split(_BLOCK_ROWS), strict=True)
        n_similar = sum(float(n @ similarity(kind, kinds).double() @ counts) for kind, n in blocks)
    n_dissimilar = n_pairs - n_similar
    return PairWeights(
        similar=n_pairs / n_similar if n_similar else 1.0,
        dissimilar=n_pairs / n_dissimilar if n_dissimilar else 1.0,
    )


def pairwise_loss(
    outputs_a: torch.Tensor,
    outputs_b: torch.Tensor,
    similar: torch.Tensor,
    weights: PairWeights,
    alpha: float,
) -> torch.Tensor:
    """Average the negative log-likelihood over all pairs of outputs_a (n_a, n_bits) and outputs_b (n_b, n_bits).

    `similar` is bool (n_a, n_b). It is a weighted mean: the scale depends neither on the size of the batch nor on
    that of the weights. The softplus form cannot overflow, and it is computed in float32 at least, also under
    autocast, as log(1 + exp(-8)) is 0 in half precision.
    """
    dtype = torch.promote_types(outputs_a.dtype, torch.float32)
    with torch.autocast(outputs_a.device.type, enabled=False):
        logits = alpha * (outputs_a.to(dtype) @ outputs_b.to(dtype).T)
        losses = functional.softplus(logits) - similar.to(dtype) * logits
        weight = torch.where(similar, logits.new_tensor(weights.similar), logits.new_tensor(weights.dissimilar))
        return (weight * losses).sum() / weight.sum()
