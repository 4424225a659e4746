"""Radii as scikit-learn has them, and rows: codes are given, and results returned, in rows."""

from __future__ import annotations

import math
from copy import copy
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.numbers import check_radius
from ...support.lazy import needed

sparse = needed("scipy.sparse", "hashindex.connect.sklearn", "sklearn")

SLICES = 20  # rows of one length from which on a table of them is faster than a slice for each
MOST_TABLES = 50  # as each looks at all rows
MOST_INT32 = 2**31 - 1


def check_bits(radius: Any) -> int:
    """Return a radius that counts bits as an int; TypeError if it is none, ValueError below 0."""
    if not hasattr(radius, "__index__"):
        raise TypeError(
            f"radius counts bits, so it must be an integer, got {radius!r}; with normalize=True it is a share of the "
            "bits, as of scikit-learn's metric 'hamming'"
        )
    return check_radius(radius)


def share_in_bits(share: float, n_bits: int) -> int:
    """Return the largest d for which d / n_bits <= share as floats compare; ValueError for a share below 0."""
    if isinstance(share, bool) or not isinstance(share, int | float | np.integer | np.floating):
        raise TypeError(f"radius is a share of the bits here, so it must be a number, got {share!r}")
    if not share >= 0:
        raise ValueError(f"radius must be at least 0 (it is inclusive), got {share}")
    near = math.floor(min(share, 1) * n_bits)  # one off at most
    if near / n_bits > share:
        return near - 1
    return near + (near < n_bits and (near + 1) / n_bits <= share)


def check_rows(single: bool) -> None:
    """Raise ValueError where one code was given in one dimension."""
    if single:
        raise ValueError("X: got one code, expected rows of codes. Reshape your data: X.reshape(1, -1) is one row")


def in_rows(offsets: NDArray[np.int64], *arrays: NDArray[Any]) -> tuple[NDArray[np.object_], ...]:
    """Return the rows in CSR order of each of the arrays as an array of arrays; rows of nothing may be one array.

    Rows of one length are those of a table, from which NumPy makes arrays in half the time that slices take.
    """
    n_rows = len(offsets) - 1
    if n_rows < SLICES or len(set((counts := np.diff(offsets)).tolist())) > min(n_rows // SLICES, MOST_TABLES):
        bounds = list(pairwise(offsets.tolist()))
        return tuple(np.fromiter([values[start:end] for start, end in bounds], object, n_rows) for values in arrays)
    made = tuple(np.empty(n_rows, object) for _ in arrays)
    for length in set(counts.tolist()):
        here = np.flatnonzero(counts == length)
        table = offsets[here, None] + np.arange(length)
        for rows, values in zip(made, arrays, strict=True):
            rows[here] = np.fromiter(values[table] if length else [values[:0]] * len(here), object, len(here))
    return made


def graph_of(values: NDArray[Any], columns: NDArray[np.int64], offsets: NDArray[np.int64], n_columns: int) -> Any:
    """Return a csr_matrix of what is known to be in order, which SciPy then need not look at."""
    most = max(n_columns, len(offsets), len(columns))
    kind = np.int32 if most <= MOST_INT32 else np.int64  # as SciPy chooses
    graph = copy(_empty(len(offsets) - 1, n_columns))
    graph.data, graph.indices, graph.indptr = values, columns.astype(kind), offsets.astype(kind)
    return graph


@lru_cache(maxsize=16)
def _empty(n_rows: int, n_columns: int) -> Any:
    graph = sparse.csr_matrix((n_rows, n_columns))
    graph.indptr = graph.indptr[:0].copy()  # nobody asks it, and it would be kept
    return graph
