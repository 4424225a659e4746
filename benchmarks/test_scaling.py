"""How searches scale with threads and with size, and all pairs within a radius."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import measure
import numpy as np
import pytest
from peers import HashIndex
from sets import Data, flip, power, uniform

import hashindex as hx
from hashindex.support.threads import usable_cpus

Search = Callable[[HashIndex, Data], object]
WORK: dict[str, tuple[Callable[[], Data], Search]] = {
    "k = 10, 64 bits, 1e6, batch of 1000": (lambda: uniform(64), lambda peer, data: peer.nearest(data.queries, 10)),
    "k = 10, 256 bits, 1e6, batch of 1000": (lambda: uniform(256), lambda peer, data: peer.nearest(data.queries, 10)),
    "radius 2, 64 bits, 1e6, batch of 1e5": (
        lambda: uniform(64, 1_000_000, 100_000),
        lambda peer, data: peer.radius(data.queries, 2),
    ),
    "radius 31, 256 bits, 1e6, batch of 1000": (lambda: uniform(256), lambda peer, data: peer.radius(data.queries, 31)),
}


@pytest.mark.parametrize("work", WORK)
def test_threads(benchmark: Any, work: str) -> None:
    if usable_cpus() < 2:
        pytest.skip("one CPU only")
    make, search = WORK[work]
    data = make()
    peers = {"1 thread": HashIndex(n_threads=1), "2 threads": HashIndex(n_threads=2)}
    works = {name: partial(search, peer, data) for name, peer in peers.items()}
    for name, peer in peers.items():
        peer.build(data.codes)
        measure.settle(works[name])
    us = {name: taken / len(data.queries) * 1e6 for name, taken in measure.alternating(works).items()}
    benchmark.extra_info.update(row="threads", case=work, us=us)
    benchmark.pedantic(works["2 threads"], rounds=1)


@pytest.mark.parametrize("n_codes", [10_000, 100_000, 1_000_000, 10_000_000])
@pytest.mark.parametrize("work", ["k = 10", "radius 2"])
def test_sizes(benchmark: Any, n_codes: int, work: str) -> None:
    data = uniform(64, n_codes, 10_000)
    peer = HashIndex().build(data.codes)
    labels = {"row": "sizes", "case": f"{power(n_codes)} codes", "peer": f"hashindex, {work}"}
    if work == "k = 10":
        measure.nearest(benchmark, peer, data.first(100 if n_codes > 1e6 else 256), 10, **labels)
    else:
        measure.radius(benchmark, peer, data, 2, sample=100, **labels)


@pytest.mark.skipif(not hasattr(hx.HashIndex, "pairs"), reason="this version has no HashIndex.pairs")
@pytest.mark.parametrize("n_codes", [1_000_000, pytest.param(10_000_000, marks=pytest.mark.large)])
def test_all_pairs(benchmark: Any, n_codes: int) -> None:
    """All pairs within 3 among uniform codes, one in a hundred of which has a near-duplicate planted."""
    rng = np.random.default_rng(11)
    codes = uniform(64, n_codes, 1000).codes.copy()
    copies = np.arange(n_codes // 100)
    codes[-len(copies) :] = flip(rng, codes[: len(copies)], copies % 4)
    index = hx.HashIndex(64)
    index.add(codes)
    planted = np.stack([copies, n_codes - len(copies) + copies], axis=1)

    def pairs() -> set[tuple[int, int]]:
        found = [np.sort(np.stack(block[:2], axis=1), axis=1) for block in index.pairs(3, n_threads=2)]
        return set(map(tuple, np.concatenate(found).tolist()))

    assert pairs() >= set(map(tuple, planted.tolist()))
    case = f"all pairs within 3, {power(n_codes)} uniform codes"
    labels = {"row": "pairs", "case": case, "peer": "hashindex, 2 threads"}
    benchmark.extra_info.update(labels, n_codes=n_codes, threads=2)
    benchmark.pedantic(lambda: sum(len(block[0]) for block in index.pairs(3, n_threads=2)), rounds=1)
