"""Real images that need no download: scikit-learn's handwritten digits, alone, in pairs and in collages.

Each task shows one trouble on data that trains in seconds:

- `digits`: none.
- `two_digits`: two scans side by side, every ordered pair of digits a class. With 100 classes one pair of items in
  a hundred is similar: the imbalance that HashNet's weights were made for.
- `long_tailed_digits`: few training images of most classes.
- `collage`: four places, several digits each an item's label; dense (half of all pairs similar) or sparse (4 %).

Query images are made of 300 scans that occur nowhere else. The split is by scan: one hand may have written on both
sides of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...inputs.items import Labels
from .task import Task

N_QUERY_SCANS = 300  # kept for queries alone; training and database images come from the other 1,497
_TAIL = 1.2  # class c (counted from 1) has 1 / c**1.2 of the training images of the first


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
    return _single(scans, scans.others[:n_train])


def long_tailed_digits(*, n_most: int = 120, seed: int = 0) -> Task:
    """Make the task of single digits with few training images of most classes.

    Digit d has round(n_most / (d + 1)**1.2) training images, at least 1: 120 zeros and 8 nines. Queries and database
    are those of `digits`, where all classes are about equally many, so that tail classes count as much as others.
    `head_and_tail` tells them apart.

    Raises
    ------
    ImportError
        scikit-learn is missing.
    ValueError
        `n_most` is below 1 or more than there are zeros (about 145).
    """
    scans = _load_scans(np.random.default_rng(seed))
    by_digit = [scans.others[scans.digits[scans.others] == digit] for digit in range(10)]
    if not 1 <= n_most <= len(by_digit[0]):
        raise ValueError(f"n_most must be 1..{len(by_digit[0])}, the zeros that are not queries; got {n_most}")
    kept = [rows[: max(1, round(n_most / (digit + 1) ** _TAIL))] for digit, rows in enumerate(by_digit)]
    return _single(scans, np.concatenate(kept))


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
    _check_sizes(n_train=n_train, n_database=n_database, n_queries=n_queries)
    rng = np.random.default_rng(seed)
    scans = _load_scans(rng)

    def pairs(pool: NDArray[np.int64], n: int) -> tuple[NDArray[np.float32], Labels]:
        left, right = rng.choice(pool, size=(2, n))
        images = np.concatenate([scans.images[left], scans.images[right]], axis=3)
        return images, 10 * scans.digits[left] + scans.digits[right]

    return Task(*pairs(scans.others, n_train), *pairs(scans.others, n_database), *pairs(scans.queries, n_queries))


def collage(
    *, sparse: bool = False, n_train: int = 3000, n_database: int = 6000, n_queries: int = 1000, seed: int = 0
) -> Task:
    """Make the task of 2 x 2 collages, 16 x 16 pixels, multi-hot labels.

    Dense: two or three of the four places hold a digit, the others are blank; the digits are the labels, 10 classes;
    digit d is drawn in proportion to 1 / (d + 1)**0.5, and about 52 % of all pairs share a label.
    Sparse: all places hold a digit and each row of two is one label, 10 * left + right, 100 classes; digits are
    drawn in proportion to 1 / (d + 1)**0.25, and about 4 % of all pairs share a label.

    Raises
    ------
    ImportError
        scikit-learn is missing.
    ValueError
        A size is below 1.
    """
    _check_sizes(n_train=n_train, n_database=n_database, n_queries=n_queries)
    rng = np.random.default_rng(seed)
    scans = _load_scans(rng)
    zipf = np.arange(1, 11) ** (-0.25 if sparse else -0.5)

    def collages(pool: NDArray[np.int64], n: int) -> tuple[NDArray[np.float32], Labels]:
        of_digit = scans.digits[pool]
        shares = (zipf / np.bincount(of_digit, minlength=10))[of_digit]
        scan = rng.choice(pool, size=(n, 4), p=shares / shares.sum())
        digit, rows = scans.digits[scan], np.arange(n)[:, None]
        parts = scans.images[scan]  # (n, 4, 1, 8, 8)
        if sparse:
            labels = np.zeros((n, 100), np.int64)
            labels[rows, 10 * digit[:, ::2] + digit[:, 1::2]] = 1
        else:
            filled = rng.permuted(np.tile(np.arange(4), (n, 1)), axis=1) < rng.integers(2, 4, (n, 1))
            parts = parts * filled[:, :, None, None, None]
            labels = np.zeros((n, 10), np.int64)
            np.maximum.at(labels, (rows, digit), filled.astype(np.int64))
        images = parts.reshape(n, 2, 2, 8, 8).swapaxes(2, 3).reshape(n, 1, 16, 16)
        return images, labels

    return Task(
        *collages(scans.others, n_train), *collages(scans.others, n_database), *collages(scans.queries, n_queries)
    )


def _single(scans: _Scans, train: NDArray[np.int64]) -> Task:
    train_part, database, query = (
        (scans.images[rows], scans.digits[rows]) for rows in (train, scans.others, scans.queries)
    )
    return Task(*train_part, *database, *query)


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size}")


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
