"""CIFAR-10-JPEG and the protocols that hashing is measured by on it.

The images are CIFAR-10's, re-compressed as JPEG: not the canonical pixels, so "CIFAR-10-JPEG" belongs beside every
number. They come as one .zip file (or the folder it unpacks to) with ``train.txt`` and ``test.txt`` in HashNet's list
format. All protocols return uint8 images (n, 3, 32, 32) and class numbers int64 (n,).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...inputs.items import Labels
from .lists import read_list
from .task import Task

_NAME = "cifar10.zip"
Place = str | os.PathLike[str] | None


class Cifar10(NamedTuple):
    """CIFAR-10-JPEG: uint8 images (50000, 3, 32, 32) and (10000, 3, 32, 32), class numbers int64."""

    train_images: NDArray[np.uint8]
    train_labels: Labels
    test_images: NDArray[np.uint8]
    test_labels: Labels


def cifar10(place: Place = None) -> Cifar10:
    """Decode CIFAR-10-JPEG, in the order of its lists (sorted by class).

    Parameters
    ----------
    place
        ``cifar10.zip``, a folder that holds it, or the folder it unpacks to. None is the folder that the environment
        variable HASHINDEX_DATA names.

    Raises
    ------
    FileNotFoundError
        It is not there.
    ValueError
        A list is wrong or images cannot be read.
    ImportError
        Pillow is missing.
    """
    root = _root(place)
    train, test = (read_list(root / f"{part}.txt") for part in ("train", "test"))
    pixels = (part.images(as_shown=False)[:] for part in (train, test))  # nothing is turned or clear: it saves time
    return Cifar10(next(pixels), train.class_numbers(), next(pixels), test.class_numbers())


def cifar10_all(place: Place = None) -> Task:
    """Make the task of all labels: train on all 50,000 training images, which are the database; 10,000 queries.

    Known as "setting 2" or "cifar10-2". The database is sorted by class, which flatters a MAP that breaks ties by
    order; `hashindex.evaluate` breaks none. For `place` and errors see `cifar10`.
    """
    data = cifar10(place)
    return Task(*data[:2], *data[:2], *data[2:])


def cifar10_few(place: Place = None, *, n_train: int = 500, n_queries: int = 100, seed: int = 0) -> Task:
    """Make the task of few labels, known as "cifar10-1", drawn by `seed`.

    Per class, `n_train` training images come from the training part and `n_queries` queries from the test part: 5,000
    and 1,000 in all. The other 59,000 images, training images among them, are the database, in random order. For
    `place` and errors see `cifar10`; ValueError too where a class has too few images.
    """
    data = cifar10(place)
    rng = np.random.default_rng(seed)
    train = _per_class(data.train_labels, np.full(10, n_train), rng)
    query = _per_class(data.test_labels, np.full(10, n_queries), rng)
    rest = np.setdiff1d(np.arange(len(data.test_labels)), query)
    order = rng.permutation(len(data.train_labels) + len(rest))
    return Task(
        data.train_images[train],
        data.train_labels[train],
        np.concatenate([data.train_images, data.test_images[rest]])[order],
        np.concatenate([data.train_labels, data.test_labels[rest]])[order],
        data.test_images[query],
        data.test_labels[query],
    )


def cifar10_long_tailed(place: Place = None, *, n_most: int = 5000, factor: float = 100, seed: int = 0) -> Task:
    """Make the task of a long tail: n_most * factor**(-c / 9) training images of class c, drawn by `seed`.

    From 5,000 airplanes to 50 trucks. The database is all 50,000 training images and the queries are the 10,000 test
    images, so that tail classes count as much as others; `head_and_tail` tells them apart. For `place` and errors see
    `cifar10`; ValueError too where a class has too few images or `factor` is below 1.
    """
    if not factor >= 1:
        raise ValueError(f"factor, the first class over the last, must be at least 1, got {factor}")
    data = cifar10(place)
    counts = np.maximum(1, np.rint(n_most * factor ** (-np.arange(10) / 9))).astype(np.int64)
    train = _per_class(data.train_labels, counts, np.random.default_rng(seed))
    return Task(data.train_images[train], data.train_labels[train], *data)


def _per_class(labels: Labels, counts: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw counts[c] rows of every class c, in random order."""
    there = np.bincount(labels, minlength=len(counts))
    if counts.min() < 1 or (counts > there).any():
        raise ValueError(f"classes have {there.tolist()} images, so many cannot be drawn: {counts.tolist()}")
    order = rng.permutation(len(labels))
    drawn = [order[labels[order] == number][:count] for number, count in enumerate(counts)]
    return rng.permutation(np.concatenate(drawn))


def _root(place: Place) -> Path:
    """Find the folder, or the folder in the .zip file, where train.txt lies."""
    place = os.environ.get("HASHINDEX_DATA") if place is None else place
    if place is None:
        raise FileNotFoundError(
            f"{_NAME} was not sought: set HASHINDEX_DATA to the folder that holds it, or give its path"
        )
    top = Path(place)
    for root in (top / _NAME, top):
        if root.is_file():
            return root / "cifar10"
    for root in (top, top / "cifar10"):
        if (root / "train.txt").is_file():
            return root
    raise FileNotFoundError(
        f"sought {top / _NAME} and {top / 'train.txt'}: neither is there; "
        f"give the path of {_NAME} or its folder, or set HASHINDEX_DATA to that folder"
    )
