"""BRE, binary reconstructive embeddings: codes whose distances reproduce given ones, weight by weight.

Kulis and Darrell, "Learning to Hash with Binary Reconstructive Embeddings", NIPS 2009.
"""

from __future__ import annotations

import numpy as np

from ...inputs.numbers import check_at_least
from ..shared.classes import signs, similarity
from .kernel import Kernel, draw_anchors
from .shallow import Floats, Projected, Shallow

N_SWEEPS = 2


class BRE(Shallow):
    """Minimises the squared difference of Hamming distance / n_bits to 0 for similar pairs and 1 for others.

    The paper's supervised form: bit p is the sign of RBF features of a few anchors times weights. One weight at a
    time goes to its best value given all others, which is found exactly: as it grows, one item after the other changes
    sides. Similar pairs together weigh as much as the others. ``losses`` is the weighted mean over pairs, at the start
    and after each bit of each sweep. Any n_bits will do, also above dimension and number of classes.

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes everything random. No global random state changes.
    n_anchors
        Items drawn for the RBF features.
    n_anchors_per_bit
        How many of the anchors, drawn anew, a bit depends on.
    """

    max_items = 300  # each weight looks at all their pairs
    needs_labels = True

    def __init__(self, n_bits: int = 32, seed: int = 0, *, n_anchors: int = 300, n_anchors_per_bit: int = 50) -> None:
        super().__init__(n_bits, seed)
        self.n_anchors = check_at_least(n_anchors, "n_anchors", 1)
        self.n_anchors_per_bit = check_at_least(n_anchors_per_bit, "n_anchors_per_bit", 1)

    def learn(self, x: Floats, classes: Floats, rng: np.random.Generator) -> Projected:
        """Go through all weights of all bits, twice."""
        anchors, features = draw_anchors(x, self.n_anchors, rng)
        n_features = features.shape[1]
        n_chosen = min(self.n_anchors_per_bit, n_features)
        chosen = [rng.choice(n_features, n_chosen, replace=False) for _ in range(self.n_bits)]
        weights = np.zeros((n_features, self.n_bits))
        for k, rows in enumerate(chosen):
            weights[rows, k] = rng.standard_normal(n_chosen)
        bits = signs(features @ weights)
        different = np.where(similarity(classes), 0.0, 1.0)
        share = pair_shares(different)
        losses = [reconstruction(bits, different, share)]
        for _ in range(N_SWEEPS):
            for k, rows in enumerate(chosen):
                pull = _pull(bits, k, different, share)
                weights[rows, k], bits[:, k] = improve(features[:, rows], weights[rows, k], pull)
                losses.append(reconstruction(bits, different, share))
        return Projected(Kernel(anchors, weights), np.array(losses))


def pair_shares(different: Floats) -> Floats:
    """Return what each pair (n, n) weighs: similar ones half of 1 together, the others half, an item with itself 0."""
    share = np.zeros_like(different)
    apart = ~np.eye(len(different), dtype=bool)
    for kind in (0, 1):
        pairs = apart & (different == kind)
        share[pairs] = 0.5 / max(int(pairs.sum()), 1)
    return share


def reconstruction(bits: Floats, different: Floats, share: Floats) -> float:
    """Return the weighted squared difference of the pairs' distances / n_bits to the given ones."""
    distances = (1 - bits @ bits.T / bits.shape[1]) / 2
    return float((share * (different - distances) ** 2).sum())


def _pull(bits: Floats, k: int, different: Floats, share: Floats) -> Floats:
    """Return C, (n, n) with a zero diagonal: the best bit k given the other bits maximises h'Ch."""
    n_bits = bits.shape[1]
    others = np.delete(bits, k, axis=1)
    missing = different - (n_bits - 1 - others @ others.T) / (2 * n_bits)
    pull: Floats = share * (1 / n_bits - 2 * missing)
    return pull


def improve(features: Floats, weights: Floats, pull: Floats) -> tuple[Floats, Floats]:
    """Raise h'Ch, h = signs of features (n, m) @ weights (m,), weight by weight; return weights and h."""
    weights = weights.copy()
    z = features @ weights
    bits = signs(z)
    value = bits @ pull @ bits
    for m, feature in enumerate(features.T):
        step = best_step(z, feature, pull)
        tried = z + step * feature
        tried_bits = signs(tried)
        tried_value = tried_bits @ pull @ tried_bits
        if tried_value > value:
            weights[m] += step
            z, bits, value = tried, tried_bits, tried_value
    return weights, bits


def best_step(z: Floats, feature: Floats, pull: Floats) -> float:
    """Find the step s that maximises h'Ch, h = signs(z + s feature), for symmetric C with a zero diagonal.

    As s grows from minus to plus infinity, each item changes sides once, at -z / feature. What h'Ch loses by the
    first t changes is 4 times the sum of C_ij h_i h_j over pairs of one item that changed and one that did not:
    all t at once, where the paper goes from one to the next.
    """
    moves = np.flatnonzero(feature)
    if not len(moves):
        return 0.0
    changes = -z[moves] / feature[moves]
    order = np.argsort(changes, kind="stable")
    moves, changes = moves[order], changes[order]
    h = signs(z)
    h[moves] = -np.sign(feature[moves])
    before = np.tril(pull[np.ix_(moves, moves)], -1) @ h[moves]
    lost = np.concatenate([[0.0], np.cumsum(h[moves] * ((pull @ h)[moves] - 2 * before))])
    width = max(changes[-1] - changes[0], 1.0)
    edges = np.concatenate([[changes[0] - width], changes, [changes[-1] + width]])
    lost[edges[1:] <= edges[:-1]] = np.inf  # no step lies between changes at the same place
    t = int(np.argmin(lost))
    return float(edges[t] + edges[t + 1]) / 2
