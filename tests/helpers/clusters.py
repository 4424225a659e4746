"""A task that any model learns in a second, options for a short training, and a backbone with all that is random."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

QUICK: dict[str, Any] = {"n_bits": 12, "n_steps": 20, "batch_size": 32, "device": "cpu"}


def clusters(
    n: int = 200, n_classes: int = 5, shape: tuple[int, ...] = (10,), seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Noisy copies of one centre per class, and the classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    centres = np.random.default_rng(99).standard_normal((n_classes, *shape))
    return (centres[labels] + 0.5 * rng.standard_normal((n, *shape))).astype(np.float32), labels


def multi_hot(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each class as itself and every second item also as the next class."""
    hot = np.eye(labels.max() + 1, dtype=np.int64)[labels]
    hot[::2] |= np.roll(hot[::2], 1, axis=1)
    return hot


def dropout_net(n_features: int = 10) -> nn.Sequential:
    """A backbone that draws at random and keeps statistics."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        linear = nn.Linear(n_features, 16)
    return nn.Sequential(nn.Flatten(), linear, nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3))
