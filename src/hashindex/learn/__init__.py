"""Learning codes: HashNet (deep learning to hash by continuation) in PyTorch, and the tasks it is shown on.

`hashnet.py` is the place to start: the method, and `likelihood.py` what it learns by. `deep_hash.py` puts a network
together and trains it, `encoding.py` makes codes with it, `training/loop.py` is the loop; they call the rest in the
order data, sampler, augment, backbones, continuation, loss.

PyTorch is imported when one of the names below is first used; `hashindex.learn.data` does without it.

On CPU cores that other processes use too, set ``OMP_WAIT_POLICY=PASSIVE`` in the environment before PyTorch is loaded:
its threads otherwise spin while they wait for each other, and a step takes several times as long. The ``hashindex``
command does so by itself; the library leaves the environment alone.
"""

from typing import TYPE_CHECKING

from ..support.lazy import attributes

if TYPE_CHECKING:
    from .convergence import Stage
    from .data import Task, digits, two_digits
    from .deep_hash import DeepHash
    from .hashnet import HashNet
    from .losses.objective import Objective
    from .losses.pairwise import PairWeights, agreement, pair_weights, pairwise_loss, similarity
    from .training.continuation import Continuation, Plateau
    from .training.options import Training
    from .training.progress import History, Step

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
    **dict.fromkeys(("Continuation", "Plateau"), "training.continuation"),
    "Stage": "convergence",
    **dict.fromkeys(("Task", "digits", "two_digits"), "data"),
    "DeepHash": "deep_hash",
    "HashNet": "hashnet",
    **dict.fromkeys(("PairWeights", "agreement", "pair_weights", "pairwise_loss", "similarity"), "losses.pairwise"),
    "Objective": "losses.objective",
    **dict.fromkeys(("History", "Step"), "training.progress"),
    "Training": "training.options",
}

__getattr__ = attributes(__name__, _WHERE)
