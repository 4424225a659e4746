"""HashNet: data -> backbone -> hash layer -> tanh(beta z) -> pairwise loss; codes are the signs of z.

Cao, Long, Wang and Yu, "HashNet: Deep Learning to Hash by Continuation", ICCV 2017 (arXiv 1702.00758).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from ..inputs.numbers import check_at_least
from .convergence import Convergence
from .deep_hash import DeepHash
from .likelihood import WeightedLikelihood
from .losses.memory_bank import MemoryBank
from .losses.pairwise import PairWeights, pair_weights
from .training.continuation import continuation

if TYPE_CHECKING:
    from torch import Tensor, nn
    from typing_extensions import Unpack

    from ..inputs.items import Items
    from .convergence import Stage
    from .losses.objective import Objective
    from .training.continuation import Continuation
    from .training.options import TrainingOptions
    from .training.watch import Watch

Weights = Literal["global", "batch"] | None
WEIGHTS = ("global", "batch", None)
SOFTEN = 0.75  # alpha falls as beta**-0.75


class HashNet(DeepHash):
    """Learns codes that are near each other, in Hamming distance, for items of the same class.

    >>> model = HashNet(n_bits=32).fit(images, labels)  # doctest: +SKIP
    >>> codes = model.encode(images)  # uint8 (n, 4), ready for HashIndex.add  # doctest: +SKIP

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes everything random: the same seed gives the same codes on the CPU with the same number of torch threads.
        No global random state changes.
    backbone
        A module that maps items (n, ...) to features (n, width); fit trains a copy of it. None is a network by the
        shape of the items: see `hashindex.learn.backbones.default_backbone`.
    alpha
        Scale of the adaptive sigmoid. None is 10 / n_bits at first, so that alpha <h, h> stays within -10..10, and
        falls while beta grows: see `WeightedLikelihood`. A number stays as it is, as in the paper.
    continuation
        The schedule of beta: True or "geometric" from 1 to 10 in ten stages, "stages" (1, 2, ... 10), "released" (as
        in the authors' code), "plateau" (a stage ends when its loss stands still), a `Continuation`, or False: beta
        stays 1.
    weights
        What makes up for rare similar pairs: "batch" weighs by the share of similar pairs in each batch, "global" by
        that in the training set (the paper's |S| / |S1| and |S| / |S0|), None counts every pair once (HashNet-W). The
        paper's objective is "global" with ``balanced=False``: balanced batches hold more similar pairs than the set.
    partial
        Whether a similar pair of items with several classes counts by the share of classes in common (HashNet+C).
    memory
        Items seen lately that every batch is also compared with; 0 compares within the batch alone.
    training
        How the network is trained: see `Training`; `hashindex.learn` says what to set on CPU cores that others use too.

    Attributes
    ----------
    network, history, item_shape
        As of `DeepHash`.
    convergence
        What each stage did to the codes: see `Stage`; `save` does not keep it.

    Raises
    ------
    ValueError
        n_bits is not in 1..65536, alpha is not positive, memory is negative, or a name is unknown.
    """

    convergence: tuple[Stage, ...]

    def __init__(
        self,
        n_bits: int = 32,
        seed: int = 0,
        *,
        backbone: nn.Module | None = None,
        alpha: float | None = None,
        continuation: bool | str | Continuation = True,
        weights: Weights = "batch",
        partial: bool = False,
        memory: int = 0,
        **training: Unpack[TrainingOptions],
    ) -> None:
        super().__init__(n_bits, seed, backbone=backbone, **training)
        if alpha is not None and not 0 < alpha < math.inf:
            raise ValueError(f"alpha must be a positive number, got {alpha}")
        if weights not in WEIGHTS:
            raise ValueError(f"weights must be one of {WEIGHTS}, got {weights!r}")
        self.alpha = alpha
        self.continuation = continuation
        self.weights = weights
        self.partial = partial
        self.memory = check_at_least(memory, "memory", 0)

    def objective(self, labels: Tensor, n_steps: int) -> Objective:
        """Make the weighted likelihood with its schedule of beta."""
        return WeightedLikelihood(
            10 / self.n_bits if self.alpha is None else self.alpha,
            continuation(self.continuation, n_steps),
            pair_weights(labels) if self.weights == "global" else PairWeights(1.0, 1.0),
            MemoryBank(self.memory, self.n_bits, labels) if self.memory else None,
            by_batch=self.weights == "batch",
            partial=self.partial,
            soften=SOFTEN if self.alpha is None else 0.0,
        )

    def watch(self, network: nn.Sequential, objective: Objective, items: Items, labels: Tensor) -> Watch:
        """Watch the paper's two theorems on fixed items."""
        assert isinstance(objective, WeightedLikelihood)
        return Convergence(network, objective, items, labels)
