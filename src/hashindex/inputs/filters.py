"""What is a filter: ids, or a bool for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ids import as_ids, distinct_ids
from .masked import is_masked
from .numbers import are_integers, odd_one


def as_filter(given: Any, name: str) -> NDArray[np.int64] | NDArray[np.bool_]:
    """Return distinct ids, ascending, int64 (n,), or a bool mask (n,) in which ``mask[id]`` tells.

    Raises
    ------
    TypeError
        Neither integers nor bools; a masked array.
    ValueError
        Of another shape; ids below 0 or above 2**63 - 1.
    """
    if is_masked(given):
        raise TypeError(f"{name}: got a masked array, whose masked values have no meaning; .filled() gives them one")
    is_set = isinstance(given, set | frozenset)
    given = list(given) if is_set else given
    try:
        array = np.asarray(given)
    except ValueError:
        raise TypeError(f"{name} must be ids (integers) or a bool for each id, in one row") from None
    if array.ndim != 1:
        row = "list() makes a row of what can be walked through" if isinstance(given, Iterable) else f"[{name}] is one"
        advice = "" if array.ndim else f"; {row}"
        raise ValueError(f"{name} must be ids or a bool for each id, in one row; got shape {array.shape}{advice}")
    if array.dtype == np.bool_:
        if is_set:
            raise TypeError(f"{name}: got a set of bools, which have no order; a list or an array of them has")
        return array
    try:
        return distinct_ids(as_ids(array if are_integers(given, array) else given))
    except TypeError:
        advice = "; find(keys) of a store has the ids of keys" if array.dtype.kind in "UO" else ""
        raise TypeError(
            f"{name} must be ids (integers) or a bool for each id, got {odd_one(given, array)}{advice}"
        ) from None
