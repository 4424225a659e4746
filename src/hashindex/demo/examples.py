"""Choose the queries that the report shows as pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import NearestMatches
from .result import Example, Neighbour

Images = NDArray[np.float32]
Labels = NDArray[np.int64]


def examples(
    near: NearestMatches,
    query_images: Images,
    query_labels: Labels,
    database_images: Images,
    database_labels: Labels,
    seed: int,
    n_random: int = 6,
    n_hard: int = 4,
) -> tuple[Example, ...]:
    """``n_random`` queries drawn by ``seed``, then ``n_hard`` others with the fewest right neighbours, one per class.

    Images are (n, 1, 8, 16), labels (n,) and the ids of ``near`` rows of the database.
    """
    drawn = np.random.default_rng(seed).permutation(len(query_labels))[:n_random]
    n_right = (database_labels[near.ids] == query_labels[:, np.newaxis]).sum(axis=1)
    by_hardness = np.argsort(n_right, kind="stable")
    others = by_hardness[~np.isin(by_hardness, drawn)]
    first_of_class = np.unique(query_labels[others], return_index=True)[1]  # scans recur: their failures too
    hardest = others[np.sort(first_of_class)][:n_hard]
    return tuple(
        Example(
            query=int(query),
            image=query_images[query, 0],
            label=int(query_labels[query]),
            hard=hard,
            neighbours=tuple(
                Neighbour(database_images[row, 0], int(database_labels[row]), int(distance))
                for distance, row in zip(near.distances[query], near.ids[query], strict=True)
            ),
        )
        for queries, hard in ((drawn, False), (hardest, True))
        for query in queries
    )
