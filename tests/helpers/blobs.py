"""Small made-up items for the shallow baselines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashindex.baselines.shallow.shallow import Shallow
from hashindex.evaluate import mean_average_precision

Ints = NDArray[np.int64]


def blobs(n: int = 150, d: int = 10, n_classes: int = 5, seed: int = 0) -> tuple[NDArray[np.float32], Ints]:
    """Noisy copies of a centre per class, away from the origin."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    centres = np.random.default_rng(99).standard_normal((n_classes, d))
    return (3 + centres[labels] + 0.5 * rng.standard_normal((n, d))).astype(np.float32), labels


def multi_hot(labels: Ints) -> Ints:
    hot = np.eye(labels.max() + 1, dtype=np.int64)[labels]
    hot[::3] |= np.roll(hot[::3], 1, axis=1)
    return hot


def map_of(model: Shallow, x: Any, labels: Ints) -> float:
    """Mean average precision of a model's codes of x, searched for themselves."""
    codes = model.encode(x)
    return mean_average_precision(codes, codes, labels, labels, n_bits=model.n_bits).value
