"""Radii as scikit-learn has them, and rows: codes are given, and results returned, in rows."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.numbers import check_radius


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


def in_rows(values: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the rows of values in CSR order as an array of arrays."""
    rows = np.empty(len(offsets) - 1, object)
    rows[:] = [values[start:end] for start, end in pairwise(offsets.tolist())]
    return rows
