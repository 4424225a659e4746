"""Labels as numbers to calculate with."""

import numpy as np
from numpy.typing import NDArray

from ...inputs.items import Labels


def n_classes(labels: Labels) -> int:
    """Count the classes of class numbers (n,) or multi-hot labels (n, n_classes)."""
    return labels.shape[1] if labels.ndim == 2 else len(np.unique(labels))


def indicators(labels: Labels) -> NDArray[np.float64]:
    """Return 1 where an item is of a class, else 0: float64 (n, n_classes)."""
    if labels.ndim == 2:
        return labels.astype(np.float64)
    classes, column = np.unique(labels, return_inverse=True)
    hot = np.zeros((len(labels), len(classes)))
    hot[np.arange(len(labels)), column] = 1
    return hot


def similarity(classes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which pairs of items share a class: bool (n, n) for indicators (n, n_classes)."""
    similar: NDArray[np.bool_] = classes @ classes.T > 0
    return similar


def signs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 where a value is > 0, else -1: bits as numbers to calculate with."""
    return np.where(values > 0, 1.0, -1.0)
