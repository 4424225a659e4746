"""What searches by folds need of the Numba engine beside scans."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..rows import Codes
from .calls import frozen
from .common import distance_to, kernel, words_by_query


def distances_of(codes: Codes, queries: Codes, rows: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the code in each of ``rows`` (n,) to its query ``of`` (n,)."""
    distances = np.empty(len(rows), np.int64)
    _measure(frozen(codes), frozen(queries), rows, of, distances)
    return distances


@kernel
def _measure(
    codes: Codes, queries: Codes, rows: NDArray[np.int64], of: NDArray[np.int64], distances: NDArray[np.int64]
) -> None:
    words = words_by_query(queries)
    for i in range(len(rows)):
        distances[i] = distance_to(codes, rows[i], words, of[i])
