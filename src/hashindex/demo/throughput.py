"""Queries per second of hashindex's engines and of faiss: same codes, same batch, same number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from math import ceil
from statistics import median
from time import perf_counter

import faiss
import numpy as np
from numpy.typing import NDArray

from .. import HashIndex
from .result import Speed

REPEATS = 5
SECONDS = 0.2  # of one repeat, at least

Codes = NDArray[np.uint8]


def speeds(
    indexes: Sequence[HashIndex], codes: Codes, queries: Codes, radius: int, k: int, n_threads: int
) -> tuple[Speed, ...]:
    """Every index and faiss ``IndexBinaryFlat`` at both kinds of search.

    ``codes`` (n, code_size) are those the indexes hold; ``queries`` (n_queries, code_size) go in as one
    batch. Our answers come ordered, faiss's radius answers do not: that work is counted against us.
    """
    rival = faiss.IndexBinaryFlat(8 * codes.shape[1])
    rival.add(codes)
    by_radius: dict[str, Callable[[], object]] = {}
    by_k: dict[str, Callable[[], object]] = {}
    for index in indexes:
        by_radius[index.engine_name] = partial(index.search, queries, radius=radius, n_threads=n_threads)
        by_k[index.engine_name] = partial(index.search, queries, k=k, n_threads=n_threads)
    by_radius["faiss"] = partial(rival.range_search, queries, radius + 1)
    by_k["faiss"] = partial(rival.search, queries, k)
    with _faiss_threads(n_threads):
        return tuple(
            Speed(search, contender, len(queries) / seconds)
            for search, calls in ((f"radius = {radius}", by_radius), (f"k = {k}", by_k))
            for contender, seconds in seconds_per_call(calls).items()
        )


def seconds_per_call(
    calls: Mapping[str, Callable[[], object]], repeats: int = REPEATS, seconds: float = SECONDS
) -> dict[str, float]:
    """Median over ``repeats`` rounds; in each round every call in turn runs for about ``seconds``.

    Taking turns lets a change of the machine's clock or load meet all contenders alike.
    """
    n_calls = {name: ceil(seconds / max(_seconds(call, 1), 1e-7)) for name, call in calls.items()}
    rounds = [
        {name: _seconds(call, n_calls[name]) / n_calls[name] for name, call in calls.items()} for _ in range(repeats)
    ]
    return {name: median(one[name] for one in rounds) for name in calls}


def _seconds(call: Callable[[], object], n_calls: int) -> float:
    start = perf_counter()
    for _ in range(n_calls):
        call()
    return perf_counter() - start


@contextmanager
def _faiss_threads(n_threads: int) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(n_threads)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
