"""The one pass over the codes behind every measure: items and relevant items at each distance."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import engines
from ..engines.query import Relevance
from ..inputs.codes import as_codes
from ..inputs.items import Labels, check_labels
from ..inputs.numbers import check_n_bits, n_threads

_BLOCK_CELLS = 1 << 19  # (query, distance) cells of a block: 8 MB for items, as much for relevant items


class Histograms(NamedTuple):
    """Per query and per distance 0..n_bits: how many items lie there, and how many of them are relevant.

    Both int64 (n_queries, n_bits + 1). An item is relevant if its label is the query's, or (multi-hot) if
    they share at least one class.
    """

    items: NDArray[np.int64]
    relevant: NDArray[np.int64]


class Judged(NamedTuple):
    """Queries, a database and what is relevant, checked: all that histograms are made from."""

    queries: NDArray[np.uint8]  # (n_queries, code_size)
    database: NDArray[np.uint8]  # (n_items, code_size)
    relevance: Relevance
    unlabelled: NDArray[np.bool_]  # (n_queries,) no class at all, which only multi-hot labels can say
    n_bits: int

    def blocks(self) -> Iterator[Histograms]:
        """Histograms of consecutive queries, few enough at a time that memory stays bounded."""
        engine, threads = engines.load(), n_threads()
        step = max(_BLOCK_CELLS // (self.n_bits + 1), 1)
        for begin in range(0, len(self.queries), step):
            rows = slice(begin, begin + step)
            relevance = self.relevance._replace(queries=self.relevance.queries[rows])
            counts = engine.count_distances(self.database, self.queries[rows], relevance, threads)
            yield Histograms(*counts[:, :, : self.n_bits + 1])


def judge(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    n_bits: int,
    names: tuple[str, str, str, str] = ("query_codes", "database_codes", "query_labels", "database_labels"),
) -> Judged:
    """Check codes and labels, called `names` in messages; raises as `distance_histograms`."""
    n_bits = check_n_bits(n_bits)
    queries = as_codes(query_codes, n_bits, names[0]).codes
    database = as_codes(database_codes, n_bits, names[1]).codes
    wanted = check_labels(query_labels, len(queries), names[2])
    given = check_labels(database_labels, len(database), names[3])
    if wanted.shape[1:] != given.shape[1:]:
        raise ValueError(
            f"{names[2]} and {names[3]} must be of one kind, both (n,) or both (n, n_classes); "
            f"got {wanted.shape} and {given.shape}"
        )
    unlabelled = np.asarray(~wanted.any(axis=1)) if wanted.ndim == 2 else np.zeros(len(wanted), np.bool_)
    return Judged(queries, database, _relevance(wanted, given), unlabelled, n_bits)


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
    The engine counts (`HASHINDEX_ENGINE`) on `HASHINDEX_NUM_THREADS` threads.

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
    judged = judge(query_codes, database_codes, query_labels, database_labels, n_bits)
    counts = np.empty((2, len(judged.queries), judged.n_bits + 1), np.int64)
    begin = 0
    for block in judged.blocks():
        counts[:, begin : begin + len(block.items)] = block
        begin += len(block.items)
    return Histograms(*counts)


def _relevance(wanted: Labels, given: Labels) -> Relevance:
    """Label words: multi-hot rows as bits; class numbers counted through, so that any integer fits a word."""
    if wanted.ndim == 2:
        return Relevance(_bit_words(wanted), np.ascontiguousarray(_bit_words(given).T), shared=True)
    _, numbers = np.unique(np.concatenate([wanted, given]), return_inverse=True)
    words = numbers.astype(np.uint32)
    return Relevance(words[: len(wanted), None], words[None, len(wanted) :], shared=False)


def _bit_words(labels: Labels) -> NDArray[np.uint32]:
    """Multi-hot rows (n, n_classes) as bits in words (n, ceil(n_classes / 32))."""
    packed = np.packbits(labels != 0, axis=1)
    padded = np.zeros((len(packed), -(-packed.shape[1] // 4) * 4), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint32)
