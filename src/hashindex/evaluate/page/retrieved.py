"""Queries with their nearest neighbours, chosen to be shown as pictures."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import HashIndex
from ...inputs.items import Labels

K = 10


class Neighbour(NamedTuple):
    """One of the nearest."""

    image: NDArray[Any]
    label: str
    distance: int
    right: bool  # shares a class with the query


class Retrieved(NamedTuple):
    """A query and its nearest neighbours in the order of the index."""

    query: int  # row in the query set
    image: NDArray[Any]
    label: str
    hard: bool  # chosen because few neighbours are right; otherwise drawn at random
    neighbours: tuple[Neighbour, ...]


def retrieved(
    query_images: NDArray[Any],
    database_images: NDArray[Any],
    query_codes: NDArray[np.uint8],
    database_codes: NDArray[np.uint8],
    query_labels: Labels,
    database_labels: Labels,
    n_bits: int,
    seed: int,
    n_random: int = 8,
    n_hard: int = 4,
) -> list[Retrieved]:
    """Choose ``n_random`` queries drawn by ``seed`` and ``n_hard`` others with the fewest right neighbours.

    Images (n, channels, height, width), packed codes (n, code_size), labels (n,) or multi-hot (n, n_classes).
    """
    index = HashIndex(n_bits=n_bits)
    index.add(database_codes)
    distances, ids = index.search(query_codes, k=min(K, len(database_codes)))
    wanted, given = query_labels[:, np.newaxis], database_labels[ids]
    right = np.equal(wanted, given) if query_labels.ndim == 1 else np.logical_and(wanted, given).any(axis=2)
    assert isinstance(right, np.ndarray)
    drawn = np.random.default_rng(seed).permutation(len(query_codes))[:n_random]
    by_hardness = np.argsort(right.sum(axis=1), kind="stable")
    hardest = by_hardness[~np.isin(by_hardness, drawn)][:n_hard]
    return [
        Retrieved(
            query=int(query),
            image=np.asarray(query_images[query]),
            label=_label(query_labels[query]),
            hard=hard,
            neighbours=tuple(
                Neighbour(np.asarray(database_images[row]), _label(database_labels[row]), int(distance), bool(is_right))
                for row, distance, is_right in zip(ids[query], distances[query], right[query], strict=True)
            ),
        )
        for queries, hard in ((drawn, False), (hardest, True))
        for query in queries
    ]


def _label(label: Any) -> str:
    """Return a class number, or the numbers of all classes of a multi-hot row."""
    return str(int(label)) if np.ndim(label) == 0 else ", ".join(map(str, np.nonzero(label)[0])) or "none"
