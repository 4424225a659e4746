"""Rows of one thread are of one thread: pools are held to it, and work that others do is noticed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import faiss
import pytest
from threadpoolctl import threadpool_limits

TRIES, PAUSE_S = 4, 1.0  # what an index builds beside its searches ends by itself; a pool works at every call
SHARE, LEAST_S = 0.05, 0.0002  # of the time, that others may take


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold to one thread what takes all there are: OpenMP of faiss and pynear, BLAS, and this library's default.

    Each library brings an OpenMP of its own, and is held if it has been loaded.
    """
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setenv("HASHINDEX_NUM_THREADS", "1")
        faiss.omp_set_num_threads(1)
        yield


def alone(work: Callable[[], object], name: str) -> float:
    """The seconds of a call, by the clock; AssertionError if other threads than this one work for it."""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_S)
        start, every, own = time.perf_counter(), time.process_time(), time.thread_time()
        work()
        own, every = time.thread_time() - own, time.process_time() - every
        seconds = time.perf_counter() - start
        if every - own <= max(SHARE * every, LEAST_S):
            return seconds
    raise AssertionError(f"{name}: {every - own:.4f} s of {every:.4f} s were worked by other threads")
