"""What a network learns by: from the outputs z of a batch to one loss. Each method has its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable


class Objective(nn.Module, ABC):
    """A loss with its state: parameters learn along with the network, buffers are kept in checkpoints."""

    __call__: Callable[..., Tensor]

    @abstractmethod
    def forward(self, z: Tensor, labels: Tensor, rows: Tensor, step: int) -> Tensor:
        """Return the loss of a batch.

        ``z`` (n, n_bits) float32; ``labels`` int64 (n,) or multi-hot (n, n_classes), on z's device; ``rows`` (n,)
        says which training items these are, ``step`` counts from 0.
        """

    def observe(self, step: int, loss: float) -> None:
        """Take note of a step's loss after the step was made."""

    def describe(self, step: int) -> tuple[int, float]:  # noqa: ARG002
        """Return the stage and the beta of a step: 0 and 1 where there is no continuation."""
        return 0, 1.0
