"""How the Numba engine calls its kernels: blocks of queries and parts of codes, on Python threads that live for a call.

No thread outlives a call, so that ``fork()`` and searches from several threads are safe; Numba's own threading layers
are not (OpenMP hangs in a forked child, workqueue forbids concurrent calls). Numba compiles under one lock, which a
child would find held for ever if another thread compiled at the fork: who forks waits for that.

Ctrl-C ends a call between two kernels, so that none may take long: where nobody can say how long a query takes, what
the last ones took tells how many are next.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Event
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from numba.core.compiler_lock import global_compiler_lock
from numpy.typing import NDArray

from ..clusters import Clusters
from ..hits import QUERY_SHIFT, Hits, radius_rows
from ..results import RadiusRows, Work
from ..rows import Rows
from ..tables import Tables

S = TypeVar("S")
T = TypeVar("T")
Scalar = TypeVar("Scalar", bound=np.generic)
Arrays = TypeVar("Arrays", Rows, Tables, Clusters)

LEAST_PART = 16384  # codes worth a thread of their own
MOST_WORDS = 2**28  # compared by one kernel: some tenth of a second
FIRST_QUERIES = 2  # of a kernel that may look at anything
SECONDS = 0.05  # that the next ones are meant to take


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


def frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A read-only view: Numba compiles one kernel per array type, and writability is part of the type."""
    view = array.view()
    view.flags.writeable = False
    return view


def frozen_all(arrays: Arrays) -> Arrays:
    """Read-only views of all fields."""
    each: Any = arrays
    return type(arrays)(*map(frozen, each))


def blocks_of(n_queries: int, most: int, n_threads: int) -> list[slice]:
    """Consecutive blocks of at most ``most`` queries (at least 1), enough for the threads where possible."""
    size = max(1, min(most, -(-n_queries // n_threads)))
    return [slice(begin, min(n_queries, begin + size)) for begin in range(0, n_queries, size)]


def parts_of(rows: Rows, blocks: list[slice], n_threads: int) -> list[slice]:
    """Parts of the codes: more than one where there are fewer blocks of queries than threads, or codes in plenty."""
    n_codes, code_size = rows.codes.shape
    wanted = -(-n_threads // max(len(blocks), 1))
    n_words = n_codes * ((code_size + 7) // 8) * (blocks[0].stop if blocks else 0)
    n_parts = max(1, min(wanted, n_codes // LEAST_PART), -(-n_words // MOST_WORDS))
    edges = [n_codes * part // n_parts for part in range(n_parts + 1)]
    return [slice(begin, end) for begin, end in pairwise(edges)]


def in_threads(
    function: Callable[[S], T], items: list[S], n_threads: int, stop: Callable[[], None] = lambda: None
) -> list[T]:
    """The function of every item; ``stop()`` asks those under way for an early end, since nobody waits for them."""
    n_threads = min(n_threads, len(items))
    if n_threads <= 1:
        return [_told(function, item) for item in items]
    threads = ThreadPoolExecutor(n_threads)
    try:
        return list(threads.map(function, items))
    finally:
        stop()
        threads.shutdown(cancel_futures=True)


def paced(function: Callable[[slice], T], blocks: list[slice], n_threads: int) -> tuple[list[slice], list[T]]:
    """The function of parts of the blocks, each a kernel that does not take long; and which parts, in order."""
    ended = Event()

    def run(block: slice) -> list[tuple[slice, T]]:
        done, begin, size = list[tuple[slice, T]](), block.start, FIRST_QUERIES
        while begin < block.stop and not ended.is_set():
            part, start = slice(begin, min(begin + size, block.stop)), perf_counter()
            done.append((part, _told(function, part)))
            lasted = max(perf_counter() - start, 1e-6)
            begin, size = part.stop, max(1, min(4 * size, int(size * SECONDS / lasted)))
        return done

    found = [one for done in in_threads(run, blocks, n_threads, ended.set) for one in done]
    return [part for part, _ in found], [result for _, result in found]


def _told(function: Callable[[S], T], item: S) -> T:
    """The function's result. What a signal's handler raises while Numba wraps it up arrives as a SystemError."""
    try:
        return function(item)
    except SystemError as error:
        root: BaseException = error
        while (below := root.__cause__ or root.__context__) is not None:
            root = below
        raise root from None


def grouped(found: list[Hits], n_parts: int) -> list[list[Hits]]:
    """What was found in the parts of the codes, for each block of queries."""
    return [found[i : i + n_parts] for i in range(0, len(found), n_parts)]


def joined(found: list[Hits], blocks: list[slice], work: Work) -> RadiusRows:
    """The sorted, numbered hits of all blocks."""
    counts = [
        np.bincount(hits >> QUERY_SHIFT, minlength=block.stop - block.start)
        for hits, block in zip(found, blocks, strict=True)
    ]
    none = np.empty(0, np.int64)
    return radius_rows(np.concatenate([none, *counts]), np.concatenate([none, *found]), work)


def summed(works: list[Work]) -> Work:
    """What all of them did."""
    return Work(sum(work.lookups for work in works), sum(work.candidates for work in works))
