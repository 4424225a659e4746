"""What searches of one part find, as rows: positions in its codes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MISSING_ROW = -1  # its distance is matches.MISSING_DISTANCE


class Work(NamedTuple):
    """What a search did."""

    lookups: int  # buckets visited
    candidates: int  # codes looked at: those in the buckets, or all


class RadiusRows(NamedTuple):
    """All rows within a radius, as CSR, each query's ordered by (distance, row)."""

    offsets: NDArray[np.int64]  # (n_queries + 1,)
    distances: NDArray[np.int32]
    rows: NDArray[np.int64]
    work: Work


class NearestRows(NamedTuple):
    """The nearest rows, (n_queries, k), by (distance, row); missing ones, row -1 at 2**31 - 1, stand at row ends."""

    distances: NDArray[np.int32]
    rows: NDArray[np.int64]
    work: Work
    proven: NDArray[np.bool_] | None = None  # (n_queries,) where a search stopped early and might have found others


class TooManyHits(Exception):  # noqa: N818 - a signal, not an error
    """A radius search was told to stop at so many hits."""
