"""What is an id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.native import core
from .masked import is_masked
from .numbers import are_integers, integers_of, odd_one


def as_ids(ids: Any) -> NDArray[np.int64]:
    """Return ids as int64 (n,); TypeError unless integers, ValueError for another shape or ids below 0."""
    plain = _plain(ids)
    return _checked(ids, _in_a_row(ids)) if plain is None else plain


def as_some_ids(ids: Any) -> tuple[NDArray[np.int64], bool]:
    """Return ids, or one, as int64 (n,), as :func:`as_ids`; and whether it is one."""
    if type(ids) is int and 0 <= ids < 2**63:  # at once: codes are removed one at a time
        return np.array([ids]), True
    plain = _plain(ids)
    if plain is not None:
        return plain, False
    array = _in_a_row(ids)
    return (_checked(ids, array), False) if array.ndim else (_checked([ids], array[None]), True)


def _plain(ids: Any) -> NDArray[np.int64] | None:
    """A copy of what needs no second look, made in one call that seldom lets go of the GIL; else None."""
    return core.plain_ids(ids) if core is not None and type(ids) is np.ndarray else None


def _checked(ids: Any, array: NDArray[Any]) -> NDArray[np.int64]:
    """Ids that NumPy read as ``array``, as int64 (n,)."""
    if array.size == 0 and array.ndim == 1:
        return np.empty(0, np.int64)
    integers = integers_of(ids, array)
    if integers is not None:
        array = np.array(integers, object)
    elif not are_integers(ids, array):
        advice = "; find(keys) of a store has the ids of keys" if array.dtype.kind == "U" else ""
        raise TypeError(f"ids must be integers, got {odd_one(ids, array)}{advice}")
    if array.ndim != 1:
        raise ValueError(f"ids must have shape (n,), got {array.shape}")
    if array.dtype.kind in "uO" and array.max() >= 2**63:
        raise ValueError(f"ids must be below 2**63, got {array.max()}")
    if array.min() < 0:
        raise ValueError(f"ids must not be negative (-1 marks a missing neighbour), got {array.min()}")
    return array.astype(np.int64)


def _in_a_row(ids: Any) -> NDArray[Any]:
    """What NumPy reads; TypeError where it would take a set, or rows of several lengths, for one thing."""
    if is_masked(ids):
        raise TypeError("ids: got a masked array; .compressed() drops masked values")
    try:
        array = np.asarray(ids)
    except ValueError:
        raise TypeError("ids must be integers, in one row") from None
    if array.dtype == object and array.ndim == 0 and isinstance(ids, Iterable):
        raise TypeError(f"ids must be integers, in one row; got {type(ids).__name__}: list() makes a row of it")
    return array


def distinct_ids(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``ids`` (n,) ascending, each once: themselves if they are."""
    if (ids[1:] > ids[:-1]).all():
        return ids
    ids = np.sort(ids)
    distinct: NDArray[np.int64] = ids[np.append(True, ids[1:] != ids[:-1])]
    return distinct
