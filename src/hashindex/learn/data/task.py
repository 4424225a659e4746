"""What a retrieval task is: images and labels to train on, to search in and to ask with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...inputs.items import Labels


class Task(NamedTuple):
    """A retrieval task: images (n, channels, height, width), labels int64 (n,) or multi-hot (n, n_classes).

    Images are float32 in [0, 1] or uint8; they are an array, or what reads like one piece by piece (`Images`).
    """

    train_images: Any
    train_labels: Labels
    database_images: Any
    database_labels: Labels
    query_images: Any
    query_labels: Labels


def head_and_tail(train_labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the head classes and the tail classes of (n,) or multi-hot (n, n_classes) training labels.

    The head is the fewest classes that hold half of all training labels, largest class first; the tail is the
    other classes that have any. Where one measure hides what becomes of rare classes, report it for queries of both.
    """
    if train_labels.ndim == 1:
        classes, counts = np.unique(train_labels, return_counts=True)
    else:
        counts = train_labels.sum(axis=0)
        classes = np.arange(len(counts))
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    n_head = int(np.searchsorted(np.cumsum(counts[order]), counts.sum() / 2)) + 1
    return classes[order[:n_head]], classes[order[n_head:]]
