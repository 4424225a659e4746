"""Searches beside writes: what a search takes while codes come and go, and after all of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import measure
import numpy as np
import pytest
from sets import Codes, flip, uniform

import hashindex as hx

N_CODES, BATCH, RATE = 10**7, 1000, 100_000  # codes; in a batch; per second that are written
QUIET_S, BESIDE_S = 4.0, 10.0
QUERIES = 20  # of a search
MANY = 25_000  # searches, before one comes again: what they look up does not stay in the cache
N_CHANGES, IDLE_S = 1000, 1.0
PERCENTILES = {"median": 50, "p99": 99, "p99.9": 99.9, "worst": 100}


def near(rng: np.random.Generator, codes: Codes, n: int) -> list[Codes]:
    """Batches of queries, each a bit away from a code."""
    picked = codes[rng.integers(len(codes), size=n * QUERIES)]
    return np.split(flip(rng, picked, np.ones(len(picked), np.int64)), n)


def searched(index: hx.HashIndex, queries: list[Codes], goes_on: Callable[[], bool]) -> list[float]:
    """Seconds of each search, one after the other."""
    times: list[float] = []
    while goes_on():
        start = time.perf_counter()
        index.search(queries[len(times) % len(queries)], radius=2, n_threads=1)
        times.append(time.perf_counter() - start)
    return times


def beside(index: hx.HashIndex, queries: list[Codes], write: Callable[[int], Any]) -> list[float]:
    """The same while ``write(i)`` is called for batch after batch, at the rate."""
    n_batches = int(BESIDE_S * RATE) // BATCH

    def work() -> None:
        start = time.perf_counter()
        for i in range(n_batches):
            write(i)
            time.sleep(max(0.0, start + (i + 1) * BATCH / RATE - time.perf_counter()))

    thread = threading.Thread(target=work)
    thread.start()
    times = searched(index, queries, thread.is_alive)
    thread.join()
    return times


def until(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() < end


@pytest.fixture(scope="module")
def times() -> dict[str, list[float]]:
    """Of searches at rest, and beside a thread that adds, then removes, a hundred batches a second."""
    rng = np.random.default_rng(0)
    codes = uniform(64, N_CODES).codes
    index, queries = hx.HashIndex(64), near(rng, codes, MANY)
    index.add(codes)
    index.prepare(radius=2)
    searched(index, queries, until(1))
    new = rng.integers(0, 256, (int(BESIDE_S * RATE), 8), dtype=np.uint8)
    gone = rng.permutation(N_CODES)[: len(new)]
    found = {
        "at rest": searched(index, queries, until(QUIET_S)),
        "beside adds": beside(index, queries, lambda i: index.add(new[i * BATCH : (i + 1) * BATCH])),
        "beside removals": beside(index, queries, lambda i: index.remove(gone[i * BATCH : (i + 1) * BATCH])),
    }
    index.check()
    assert len(index) == N_CODES
    every = np.arange(0, len(new), BATCH)
    assert np.isin(N_CODES + every, index.search(new[every], radius=0).ids).all()
    return found


@pytest.mark.parametrize("name", PERCENTILES)
def test_beside_writes(benchmark: Any, times: dict[str, list[float]], name: str) -> None:
    us = {when: float(np.percentile(found, PERCENTILES[name])) * 1e6 for when, found in times.items()}
    benchmark.extra_info.update(row="beside writes", case=name, us=us)
    benchmark.pedantic(lambda: None, rounds=1)


def test_aged(benchmark: Any) -> None:
    """After a thousand adds and removals, beside a fresh index of the same codes under the same ids."""
    rng = np.random.default_rng(1)
    aged = hx.HashIndex(64)
    aged.add(uniform(64).codes)
    aged.prepare(radius=2)
    for _ in range(N_CHANGES // 2):
        aged.add(rng.integers(0, 256, (BATCH, 8), dtype=np.uint8))
        ids = aged.ids()
        aged.remove(ids[rng.integers(len(ids), size=5)[0] :: len(ids) // BATCH])
    queries = np.concatenate(near(rng, aged.get(aged.ids()), 50))

    def timed(**indexes: hx.HashIndex) -> dict[str, float]:
        works = {name: partial(one.search, queries, radius=2, n_threads=1) for name, one in indexes.items()}
        return {name: seconds / len(queries) * 1e6 for name, seconds in measure.alternating(works, rounds=21).items()}

    at_once = timed(aged=aged)["aged"]
    fresh = hx.HashIndex(64)
    fresh.add(aged.get(aged.ids()), ids=aged.ids())
    fresh.prepare(radius=2)
    time.sleep(IDLE_S)
    found = [index.search(queries, radius=2) for index in (fresh, aged)]
    assert all(np.array_equal(*both) for both in zip(*found, strict=True))
    idle = timed(fresh=fresh, aged=aged)
    us = {"fresh": idle["fresh"], "aged, at once": at_once, "aged, left alone for a second": idle["aged"]}
    measure.settle(partial(aged.search, queries, radius=2, n_threads=1), 20_000)
    us["aged, searched for a second"] = timed(fresh=fresh, aged=aged)["aged"]
    benchmark.extra_info.update(row="aged", case="radius 2, 1,000 queries, 1.2e6 codes of 64 bits", us=us)
    benchmark.pedantic(partial(aged.search, queries, radius=2), rounds=1)
