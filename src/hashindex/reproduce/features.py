"""Features for the methods that train no network: what the backbone gives when it is trained as a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn
from torch.nn import functional

from ..learn import DeepHash, Objective
from ..learn.encoding import blocks_of, project

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ..inputs.items import Labels


class Classifier(DeepHash):
    """The backbone, trained as every deep method trains it, with cross-entropy in place of hashing.

    ``n_bits`` is the number of classes: z are their logits.
    """

    def hash_layer(self, width: int) -> nn.Module:
        """Make one logit per class."""
        return nn.Linear(width, self.n_bits)

    def objective(self, labels: Tensor, n_steps: int) -> Objective:  # noqa: ARG002
        """Make the loss by which classes are told apart."""
        return CrossEntropy()

    def features(self, items: Any) -> NDArray[np.float32]:
        """Return what lies behind the backbone, float32 (n, width)."""
        return np.concatenate(list(project(self.network[0], blocks_of(items), self._shape())))


class CrossEntropy(Objective):
    """Softmax cross-entropy of class numbers, or binary cross-entropy of every class of multi-hot labels."""

    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:  # noqa: ARG002
        """Return the mean cross-entropy of the batch."""
        if labels.ndim == 1:
            return functional.cross_entropy(z, labels)
        return functional.binary_cross_entropy_with_logits(z, labels.float())


def n_classes(labels: Labels) -> int:
    """Count the classes of class numbers 0, 1, ... or multi-hot labels."""
    return labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1
