"""Learning codes: HashNet (deep learning to hash by continuation) in PyTorch, and the tasks it is shown on.

`hashnet.py` is the place to start: the method. `deep_hash.py` puts a network together and encodes with it,
`training.py` is the loop; they call the rest in the order data, sampler, augment, backbones, continuation, loss.

PyTorch is imported when one of the names below is first used; `hashindex.learn.data` does without it.
"""

from typing import TYPE_CHECKING

from ..lazy import attributes

if TYPE_CHECKING:
    from .continuation import Continuation, Plateau
    from .convergence import Stage
    from .data import Task, digits, two_digits
    from .deep_hash import DeepHash
    from .hashnet import HashNet
    from .loss import PairWeights, agreement, pair_weights, pairwise_loss, similarity
    from .objective import Objective
    from .progress import History, Step
    from .training import Training

__all__ = [
    "Continuation",
    "DeepHash",
    "HashNet",
    "History",
    "Objective",
    "PairWeights",
    "Plateau",
    "Stage",
    "Step",
    "Task",
    "Training",
    "agreement",
    "digits",
    "pair_weights",
    "pairwise_loss",
    "similarity",
    "two_digits",
]

_WHERE = {
    **dict.fromkeys(("Continuation", "Plateau"), "continuation"),
    "Stage": "convergence",
    **dict.fromkeys(("Task", "digits", "two_digits"), "data"),
    "DeepHash": "deep_hash",
    "HashNet": "hashnet",
    **dict.fromkeys(("PairWeights", "agreement", "pair_weights", "pairwise_loss", "similarity"), "loss"),
    "Objective": "objective",
    **dict.fromkeys(("History", "Step"), "progress"),
    "Training": "training",
}

__getattr__ = attributes(__name__, _WHERE)
