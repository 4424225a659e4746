"""Outputs of items seen lately: they give a batch similar pairs where such pairs are rare."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn


class Remembered(NamedTuple):
    """What the bank holds: outputs z (m, n_bits) and labels (m,) or (m, n_classes)."""

    z: torch.Tensor
    labels: torch.Tensor


class MemoryBank(nn.Module):
    """The last ``size`` items' z, without gradients, oldest replaced first. Buffers: checkpoints keep them.

    z is kept rather than tanh(beta z): beta may have grown since.
    """

    z: torch.Tensor
    labels: torch.Tensor
    n_seen: torch.Tensor

    def __init__(self, size: int, n_bits: int, labels: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("z", torch.zeros(size, n_bits))
        self.register_buffer("labels", torch.zeros(size, *labels.shape[1:], dtype=labels.dtype))
        self.register_buffer("n_seen", torch.zeros((), dtype=torch.int64))

    def remembered(self) -> Remembered:
        """Return what was put in so far, at most ``size`` items."""
        n = min(int(self.n_seen), len(self.z))
        return Remembered(self.z[:n], self.labels[:n])

    def put(self, z: torch.Tensor, labels: torch.Tensor) -> None:
        """Add a batch in place of the oldest items."""
        size = len(self.z)
        z, labels = z.detach()[-size:], labels[-size:]
        places = (self.n_seen + torch.arange(len(z), device=z.device)) % size
        self.z[places], self.labels[places] = z, labels
        self.n_seen = self.n_seen + len(z)
