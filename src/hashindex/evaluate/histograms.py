"""The one pass over the codes behind every measure: items and relevant items at each distance."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs import as_codes, check_n_bits

_BLOCK_PAIRS = 1 << 21  # (query, item) pairs compared at once: some 60 MB of temporaries, whatever the sizes


class Histograms(NamedTuple):
    """Per query and per distance 0..n_bits: how many items lie there, and how many of them are relevant.

    Both int64 (n_queries, n_bits + 1). An item is relevant if its label is the query's, or (multi-hot) if
    they share at least one class.
    """

    items: NDArray[np.int64]
    relevant: NDArray[np.int64]


def distance_histograms(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    n_bits: int,
) -> Histograms:
    """Count, for every query, the items and the relevant items at each Hamming distance.

    The answer takes n_queries * (n_bits + 1) * 16 bytes; the memory used beside it and the inputs is bounded.

    Parameters
    ----------
    query_codes, database_codes
        Packed uint8 (n, ceil(n_bits / 8)), or whatever else `HashIndex.add` takes.
    query_labels, database_labels
        Class numbers, integers (n,), on both sides, or multi-hot 0/1 (n, n_classes) on both sides.
    n_bits
        Length of the codes.

    Raises
    ------
    TypeError
        The codes or the labels have another dtype.
    ValueError
        The shapes do not fit together, or multi-hot labels have values other than 0 and 1.
    """
    n_bits = check_n_bits(n_bits)
    queries = _words(query_codes, n_bits, "query_codes")
    database = _words(database_codes, n_bits, "database_codes")
    wanted = _labels(query_labels, len(queries), "query_labels")
    given = _labels(database_labels, len(database), "database_labels")
    if wanted.shape[1:] != given.shape[1:]:
        raise ValueError(
            "query_labels and database_labels must be of one kind, both (n,) or both (n, n_classes); "
            f"got {wanted.shape} and {given.shape}"
        )
    counts = np.zeros((2, len(queries), n_bits + 1), np.int64)
    width = min(max(len(database), 1), _BLOCK_PAIRS)
    height = max(_BLOCK_PAIRS // max(width, n_bits + 1), 1)
    for top in range(0, len(queries), height):
        rows = slice(top, top + height)
        for left in range(0, len(database), width):
            columns = slice(left, left + width)
            keys = _hamming(queries[rows], database[columns])
            keys += (n_bits + 1) * np.arange(len(keys))[:, None]  # (row, distance) in one number
            relevant = keys[_relevance(wanted[rows], given[columns])]
            for count, chosen in zip(counts, (keys.ravel(), relevant), strict=True):
                count[rows] += np.bincount(chosen, minlength=count[rows].size).reshape(-1, n_bits + 1)
    return Histograms(counts[0], counts[1])


def _words(codes: ArrayLike, n_bits: int, name: str) -> NDArray[np.uint64]:
    """Bring codes to rows of 64-bit words; the bytes added are zero and change no distance."""
    packed = as_codes(codes, n_bits, name).codes
    padded = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64)


def _labels(labels: ArrayLike, n: int, name: str) -> NDArray[Any]:
    """Bring labels to int64 (n,), or float32 (n, n_classes): a matrix product counts shared classes."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iub":
        raise TypeError(
            f"{name} must be integers, class numbers (n,) or multi-hot 0/1 (n, n_classes); got {labels.dtype}"
        )
    if labels.ndim not in (1, 2) or len(labels) != n:
        raise ValueError(f"{name} must have shape ({n},) or ({n}, n_classes), one row per code; got {labels.shape}")
    if labels.ndim == 1:
        return labels.astype(np.int64)
    if ((labels != 0) & (labels != 1)).any():
        raise ValueError(f"{name} with two axes must be multi-hot, 0 or 1 only; got other values")
    return labels.astype(np.float32)


def _hamming(queries: NDArray[np.uint64], database: NDArray[np.uint64]) -> NDArray[np.int64]:
    distances = np.zeros((len(queries), len(database)), np.int64)
    for word in range(queries.shape[1]):
        distances += np.bitwise_count(queries[:, None, word] ^ database[None, :, word])
    return distances


def _relevance(wanted: NDArray[Any], given: NDArray[Any]) -> NDArray[np.bool_]:
    shared: NDArray[np.bool_] = wanted[:, None] == given if wanted.ndim == 1 else wanted @ given.T > 0
    return shared
