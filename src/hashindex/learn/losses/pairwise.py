"""HashNet's objective: weighted likelihood of pairwise similarities (Cao et al., ICCV 2017, "Model Formulation").

    L = sum w_ij (log(1 + exp(alpha <h_i, h_j>)) - alpha s_ij <h_i, h_j>) / sum w_ij

where s_ij = 1 for similar pairs, w_ij = |S| / |S1| for them and |S| / |S0| for dissimilar ones, and alpha < 1 is
the adaptive sigmoid: long codes have large products, and sigmoid(product) would saturate. For items of several
classes w_ij of a similar pair may be scaled by c_ij, the share of their classes that they have in common.
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
    """Return which pairs are similar: bool (n_a, n_b), true if labels are equal or (multi-hot) share a class.

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


def similarity_of_batch(labels: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return as `similarity` which pairs are similar, others (m,) or (m, n_classes) beginning with the batch itself.

    An item without a label is not similar to any, but to itself: it must not be pushed away from its own code.
    """
    similar = similarity(labels, others)
    return similar.fill_diagonal_(True) if labels.ndim == 2 else similar


def agreement(labels_a: torch.Tensor, labels_b: torch.Tensor) -> torch.Tensor:
    """Return c_ij, float32 (n_a, n_b): |y_i & y_j| / |y_i | y_j| of similar pairs of multi-hot labels, 1 of all others.

    Cao et al., ICCV 2017, "Model Formulation"; with it the method is called HashNet+C.
    """
    similar = similarity(labels_a, labels_b)
    if labels_a.ndim == 1:
        return torch.ones_like(similar, dtype=torch.float32)
    shared = labels_a.float() @ labels_b.float().T
    either = labels_a.float().sum(dim=1)[:, None] + labels_b.float().sum(dim=1) - shared
    return torch.where(similar, shared / either.clamp(min=1), 1.0)


def pair_weights(labels: torch.Tensor, *, most_rows: int = 20_000, seed: int = 0) -> PairWeights:
    """Return |S| / |S1| and |S| / |S0| over all ordered pairs of `labels`, items with themselves included.

    From counts: class numbers (n,) take O(n) to count and O(n_classes) beyond, exact. Multi-hot labels
    (n, n_classes) take O(distinct rows squared), exact up to `most_rows` distinct rows; beyond, so many items are
    drawn by `seed` and stand for all. Where a kind of pair does not exist its weight is 1: it multiplies nothing.

    Raises
    ------
    ValueError
        There are no labels.
    """
    if len(labels) == 0:
        raise ValueError("expected at least one label, got none")
    by_row = 0 if labels.ndim == 2 else None
    kinds, counts = torch.unique(labels, dim=by_row, return_counts=True)
    if labels.ndim == 2 and len(kinds) > most_rows:
        drawn = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))[:most_rows]
        kinds, counts = torch.unique(labels[drawn.to(labels.device)], dim=0, return_counts=True)
    counts = counts.double()  # exact up to 2**53 pairs
    n_pairs = float(counts.sum()) ** 2
    if labels.ndim == 1:
        n_similar = float(counts.square().sum())
    else:
        blocks = zip(kinds.split(_BLOCK_ROWS), counts.split(_BLOCK_ROWS), strict=True)
        n_similar = sum(float(n @ similarity(kind, kinds).double() @ counts) for kind, n in blocks)
        n_similar += float(counts[~kinds.any(dim=1)].sum())  # without a label, similar to themselves alone
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
    agreement: torch.Tensor | None = None,
) -> torch.Tensor:
    """Average the negative log-likelihood over all pairs of outputs_a (n_a, n_bits) and outputs_b (n_b, n_bits).

    `similar` is bool (n_a, n_b), `agreement` is c_ij (n_a, n_b) or None for 1. It is a weighted mean: the scale
    depends neither on the size of the batch nor on that of the weights. The loss of a pair is softplus(-logit) if it is
    similar and softplus(logit) if not: that cannot overflow, and nothing cancels. It is computed in float32 at least,
    also under autocast, as log(1 + exp(-8)) is 0 in half precision.
    """
    dtype = torch.promote_types(outputs_a.dtype, torch.float32)
    with torch.autocast(outputs_a.device.type, enabled=False):
        logits = (alpha * outputs_a.to(dtype)) @ outputs_b.to(dtype).T
        losses = functional.softplus(logits * torch.ones_like(logits).masked_fill_(similar, -1))
        weight = torch.full_like(logits, weights.dissimilar).masked_fill_(similar, weights.similar)
        if agreement is not None:
            weight = weight * agreement
        return (weight * losses).sum() / weight.sum()
