"""What is a float vector: the queries that rescore what bits have found, and what they are compared with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .masked import is_masked
from .numbers import check_oversample

OVERSAMPLE = 4


class Rescoring(NamedTuple):
    """How to rescore, checked."""

    queries: NDArray[np.float32]  # (n_queries, n_dims)
    oversample: int
    vectors: NDArray[Any] | None  # (n, n_dims), row id for each id


def as_rescoring(
    rescore: Any | None, oversample: int | None, vectors: Any | None, rows: NDArray[np.uint8], n_bits: int
) -> Rescoring:
    """Return float vectors for queries ``rows`` (n_queries, code_size), or one (code_size,), and what they meet.

    Parameters
    ----------
    rescore : array_like
        Real numbers (n_queries, n_dims); for one query (n_dims,). ``n_dims`` is that of the vectors, else ``n_bits``.
    oversample : int or None
        At least 1.
    vectors : array_like or None
        Real numbers (n, n_dims); a memory map stays one.

    Raises
    ------
    TypeError
        No ``rescore``; no real numbers.
    ValueError
        Of another shape; queries that are not finite.
    """
    if rescore is None:
        raise TypeError("oversample= and vectors= belong to rescore=, the float vectors of the queries")
    oversample = OVERSAMPLE if oversample is None else check_oversample(oversample)
    others = None if vectors is None else _numbers(vectors, "vectors")
    if others is not None and (others.ndim != 2 or not others.shape[1]):
        raise ValueError(f"vectors: got shape {others.shape}, expected (n, n_dims): row id for each id")
    n_dims = n_bits if others is None else others.shape[1]
    array, expected = _numbers(rescore, "rescore"), (*rows.shape[:-1], n_dims)
    if array.shape != expected:
        advice = "; vectors= takes the codes' own vectors, of any length" if others is None else ""
        raise ValueError(f"rescore: got shape {array.shape}, expected a vector for each query: {expected}{advice}")
    queries = np.atleast_2d(array)
    return Rescoring(_finite(queries, "rescore", np.arange(len(queries))), oversample, others)


def vectors_of(vectors: NDArray[Any], ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """The float32 vectors (n, n_dims) of ids (n,); ValueError for one beyond the last, or that is not finite."""
    if len(ids) and ids.max() >= len(vectors):
        raise ValueError(
            f"vectors: got {len(vectors)} of them, but id {ids.max()} was found; row id must be the vector of that id"
        )
    return _finite(vectors[ids], "vectors", ids)


def _finite(array: NDArray[Any], what: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Real numbers (n, n_dims) as float32; ValueError that names one of ``rows`` (n,) unless all are finite there."""
    with np.errstate(over="ignore"):
        floats = array.astype(np.float32, order="C", copy=False)
    fine = np.isfinite(floats).all(axis=1)
    if not fine.all():
        raise ValueError(f"{what}: row {rows[np.argmin(fine)]} has a value that is not finite in float32")
    return floats


def _numbers(values: Any, what: str) -> NDArray[Any]:
    if is_masked(values):
        raise TypeError(f"{what}: got a masked array, whose masked values have no meaning here; .filled(0) clears them")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{what}: cannot be read as an array of real numbers: {error}") from None
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{what}: got dtype {array.dtype}, expected real numbers, as float32")
    return array
