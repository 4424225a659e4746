"""Queries with their nearest neighbours, chosen to be shown as pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import NearestMatches
from ...inputs.items import Labels


class Pictures(NamedTuple):
    """Images and their classes."""

    images: NDArray[Any]  # (n, channels, height, width)
    labels: Labels  # (n,) or multi-hot (n, n_classes)


class RetrievedImage(NamedTuple):
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
    neighbours: tuple[RetrievedImage, ...]

    @property
    def n_right(self) -> int:
        """Neighbours that share a class with the query."""
        return sum(one.right for one in self.neighbours)


def class_name(label: Any) -> str:
    """Return a class number, or the numbers of all classes of a multi-hot row."""
    return str(int(label)) if np.ndim(label) == 0 else ", ".join(map(str, np.nonzero(label)[0])) or "none"


def retrieved(
    near: NearestMatches,
    queries: Pictures,
    database: Pictures,
    seed: int,
    *,
    n_random: int = 8,
    n_hard: int = 4,
    one_per_class: bool = False,
    named: Callable[[Any], str] = class_name,
) -> tuple[Retrieved, ...]:
    """Choose ``n_random`` queries drawn by ``seed`` and ``n_hard`` others with the fewest right neighbours.

    ``near`` has a row per query, whose ids are rows of the database. ``one_per_class`` takes hard queries of different
    classes, where labels are (n,); ``named`` is what a label is called.
    """
    wanted, given = queries.labels[:, np.newaxis], database.labels[near.ids]
    shared = np.equal(wanted, given) if queries.labels.ndim == 1 else np.logical_and(wanted, given).any(axis=2)
    right = np.asarray(shared)
    drawn = np.random.default_rng(seed).permutation(len(queries.labels))[:n_random]
    by_hardness = np.argsort(right.sum(axis=1), kind="stable")
    others = by_hardness[~np.isin(by_hardness, drawn)]
    if one_per_class:
        others = others[np.sort(np.unique(queries.labels[others], return_index=True)[1])]
    return tuple(
        Retrieved(
            query=int(query),
            image=np.asarray(queries.images[query]),
            label=named(queries.labels[query]),
            hard=hard,
            neighbours=tuple(
                RetrievedImage(
                    np.asarray(database.images[row]), named(database.labels[row]), int(distance), bool(is_right)
                )
                for row, distance, is_right in zip(near.ids[query], near.distances[query], right[query], strict=True)
            ),
        )
        for chosen, hard in ((drawn, False), (others[:n_hard], True))
        for query in chosen
    )
