"""Learning codes: HashNet (deep learning to hash by continuation) in PyTorch, and the tasks it is shown on.

`hashnet.py` is the place to start; it calls the other files in the order data, sampler, augment, backbone,
continuation, loss.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("hashindex.learn needs PyTorch: pip install 'hashindex[train]'") from error

from .backbone import conv_net, mlp
from .continuation import Continuation
from .data import Task, digits, two_digits
from .hashnet import HashNet
from .loss import PairWeights, pair_weights, pairwise_loss, similarity
from .progress import History, Step

__all__ = [
    "Continuation",
    "HashNet",
    "History",
    "PairWeights",
    "Step",
    "Task",
    "conv_net",
    "digits",
    "mlp",
    "pair_weights",
    "pairwise_loss",
    "similarity",
    "two_digits",
]
