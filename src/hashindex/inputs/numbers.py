"""What is a width, a radius, a k, a number of threads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from operator import index as as_int
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.threads import usable_cpus
from .masked import is_masked

MAX_BITS = 65536
MAX_K = 2**31 - 1
MOST_PADDING = 2**30  # bytes
MAX_THREADS = 256  # more are taken as this many


def code_size(n_bits: int) -> int:
    """Bytes of a code of ``n_bits`` bits."""
    return (n_bits + 7) // 8


def check_n_bits(n_bits: int) -> int:
    """Return ``n_bits`` as an int; TypeError if it is none, ValueError outside 1..65536."""
    n_bits = check_integer(n_bits, "n_bits")
    if not 1 <= n_bits <= MAX_BITS:
        raise ValueError(f"n_bits must be between 1 and {MAX_BITS}, got {n_bits}")
    return n_bits


def check_radius(radius: int) -> int:
    """Return ``radius`` as an int; TypeError if it is none, ValueError below 0."""
    radius = check_integer(radius, "radius")
    if radius < 0:
        raise ValueError(f"radius must be at least 0 (it is inclusive), got {radius}")
    return radius


def as_radii(radius: Any, n_bits: int, n_queries: int) -> int | NDArray[np.int32]:
    """Return one radius, or one for each query as int32 (n_queries,); none above ``n_bits``.

    Raises
    ------
    TypeError
        No integers.
    ValueError
        Below 0, or of another shape.
    """
    if type(radius) is int:
        if radius < 0:
            check_radius(radius)
        return min(radius, n_bits)
    if hasattr(radius, "__index__") and not getattr(radius, "shape", ()):
        return min(check_radius(radius), n_bits)
    if is_masked(radius):
        raise TypeError("radius: got a masked array, whose masked values have no meaning; .filled() gives them one")
    try:
        array = np.asarray(radius)
    except ValueError:
        raise TypeError("radius must be an integer, or one for each query in one row") from None
    integers = integers_of(radius, array)
    if integers is not None:
        array = np.array([min(check_radius(one), n_bits) for one in integers], np.int64)
    if array.size and not are_integers(radius, array):
        is_walked = array.ndim == 0 and isinstance(radius, Iterable)
        seen = f"{type(radius).__name__}: list() makes a row of it" if is_walked else odd_one(radius, array)
        raise TypeError(f"radius must be an integer or one for each query, got {seen}")
    if array.shape != (n_queries,):
        raise ValueError(f"radius must be one integer, or one for each of {n_queries} queries; got shape {array.shape}")
    if array.size and array.min() < 0:
        raise ValueError(f"radius must be at least 0 (it is inclusive), got {array.min()}")
    wide = array.astype(np.uint64 if array.dtype.kind == "u" else np.int64)  # n_bits may not fit the dtype given
    radii: NDArray[np.int32] = np.minimum(wide, wide.dtype.type(n_bits)).astype(np.int32)
    return radii


def integers_of(values: Any, array: NDArray[Any]) -> list[int] | None:
    """The integers of a row that NumPy read as ``array`` of no integers: of several types, or too large for any.

    None if it holds anything else.
    """
    if array.dtype.kind not in "fO" or array.ndim != 1:
        return None
    return [int(one) for one in values] if all(map(_is_integer, values)) else None


def are_integers(values: Any, array: NDArray[Any]) -> bool:
    """Whether NumPy read ``array`` from integers alone: bools among them, which may be a mask, it reads as such."""
    if array.dtype.kind not in "iu":
        return False
    return not isinstance(values, list | tuple) or not any(isinstance(one, bool | np.bool_) for one in values)


def odd_one(values: Any, array: NDArray[Any]) -> str:
    """What to say was seen where integers were expected and NumPy read ``array``: the first that is none, its dtype."""
    if array.ndim == 1 and not hasattr(values, "dtype"):
        for one in values:
            if not _is_integer(one):
                return f"{one!r:.60}, a {type(one).__name__}"
    return f"dtype {array.dtype}"


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_padding(k: int, n_codes: int, n_queries: int) -> None:
    """Raise ValueError where the neighbours that ``n_codes`` codes cannot give would take too much memory."""
    size = 12 * n_queries * (k - n_codes)
    if size > MOST_PADDING:
        raise ValueError(
            f"k = {k:,} is more than the {n_codes:,} codes there are: missing neighbours of {n_queries:,} queries "
            f"alone would take {size / 2**30:,.1f} GiB; k={max(n_codes, 1)} gives all there are"
        )


def check_k(k: int) -> int:
    """Return ``k`` as an int; TypeError if it is none, ValueError outside 1..2**31 - 1."""
    if type(k) is int and 0 < k <= MAX_K:
        return k
    k = check_integer(k, "k")
    if not 1 <= k <= MAX_K:
        raise ValueError(f"k must be at least 1 and at most {MAX_K}, got {k}")
    return k


def check_recall(recall: float, k: int | None, *exact: object) -> float:
    """Return ``recall`` as a float; TypeError without k, beside what is ``exact``, or if it is no number.

    ValueError outside 0..1.
    """
    if k is None or any(one is not None for one in exact):
        raise TypeError("recall= goes with k= alone: radius= and rescore= work on what is exact")
    no_number = isinstance(recall, bool | np.timedelta64)  # which are kinds of int and np.integer
    if no_number or not isinstance(recall, int | float | np.integer | np.floating):
        raise TypeError(f"recall must be a number between 0 and 1, got {recall!r}")
    if not 0 < recall <= 1:
        raise ValueError(f"recall must be above 0 and at most 1, the share of the k nearest to be found; got {recall}")
    return float(recall)


def check_oversample(oversample: int) -> int:
    """Return ``oversample`` as an int; TypeError if it is none, ValueError below 1."""
    oversample = check_integer(oversample, "oversample")
    if oversample < 1:
        raise ValueError(f"oversample must be at least 1, got {oversample}")
    return oversample


def n_threads(asked: int | None = None) -> int:
    """The number asked for, else ``HASHINDEX_NUM_THREADS``, else the CPUs this process may run on.

    Raises
    ------
    TypeError, ValueError
        Not an integer of at least 1.
    """
    if asked is not None:
        return min(check_at_least(asked, "n_threads", 1), MAX_THREADS)
    text = os.environ.get("HASHINDEX_NUM_THREADS")
    if text:
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(f"HASHINDEX_NUM_THREADS must be an integer of at least 1, got {text!r}")
        return min(int(text), MAX_THREADS)
    return usable_cpus()


def check_at_least(value: int, name: str, least: int) -> int:
    """Return ``value`` as an int; TypeError if it is none, ValueError below ``least``."""
    value = check_integer(value, name)
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return value


def check_integer(value: Any, name: str) -> int:
    """Return ``value`` as an int; TypeError if it is none."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        return as_int(value)
    except TypeError:  # arrays have the method, whatever they hold
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
