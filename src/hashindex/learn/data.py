"""Real images that need no download: scikit-learn's handwritten digits, alone and in pairs.

The two-digit task puts two scans side by side and calls every ordered pair of digits a class: 100 classes, so
that one pair of items in a hundred is similar. This is the imbalance that HashNet's weights were made for, on
data that trains in seconds.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_QUERY_SCANS = 300  # kept for queries alone; training and database images come from the other 1,497


class Task(NamedTuple):
    """A retrieval task: images float32 (n, 1, height, width) in [0, 1], labels int64 (n,)."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    database_images: NDArray[np.float32]
    database_labels: NDArray[np.int64]
    query_images: NDArray[np.float32]
    query_labels: NDArray[np.int64]


class _Scans(NamedTuple):
    images: NDArray[np.float32]  # (1797, 1, 8, 8)
    digits: NDArray[np.int64]  # (1797,)
    queries: NDArray[np.int64]  # rows kept for queries
    others: NDArray[np.int64]  # all other rows


def digits(*, n_train: int = 500, seed: int = 0) -> Task:
    """Make the task of single digits, 8 x 8 pixels, 10 classes.

    300 scans are the queries, the other 1,497 are the database, and `n_train` of the database are for training.

    Raises
    ------
    ImportError
        scikit-learn is missing.
    ValueError
        `n_train` is not in 1..1497.
    """
    scans = _load_scans(np.random.default_rng(seed))
    if not 1 <= n_train <= len(scans.others):
        raise ValueError(f"n_train must be 1..{len(scans.others)}, as many as are not queries; got {n_train}")
    train, database, query = (
        (scans.images[rows], scans.digits[rows]) for rows in (scans.others[:n_train], scans.others, scans.queries)
    )
    return Task(*train, *database, *query)


def two_digits(*, n_train: int = 3000, n_database: int = 6000, n_queries: int = 1000, seed: int = 0) -> Task:
    """Make the task of two digits side by side, 8 x 16 pixels, 100 classes (10 * left digit + right digit).

    Query pairs are made of 300 scans that occur nowhere else; training and database pairs are drawn
    independently of each other from the remaining 1,497 scans.

    Raises
    ------
    ImportError
        scikit-learn is missing.
    ValueError
        A size is below 1.
    """
    for name, size in (("n_train", n_train), ("n_database", n_database), ("n_queries", n_queries)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size}")
    rng = np.random.default_rng(seed)
    scans = _load_scans(rng)

    def pairs(pool: NDArray[np.int64], n: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        left, right = rng.choice(pool, size=(2, n))
        images = np.concatenate([scans.images[left], scans.images[right]], axis=3)
        return images, 10 * scans.digits[left] + scans.digits[right]

    return Task(*pairs(scans.others, n_train), *pairs(scans.others, n_database), *pairs(scans.queries, n_queries))


def _load_scans(rng: np.random.Generator) -> _Scans:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("the digits come with scikit-learn: pip install 'hashindex[demo]'") from error
    data = load_digits()
    order = rng.permutation(len(data.images))
    return _Scans(
        images=(data.images[:, None] / 16).astype(np.float32),
        digits=data.target.astype(np.int64),
        queries=order[:N_QUERY_SCANS],
        others=order[N_QUERY_SCANS:],
    )
