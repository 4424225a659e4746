"""The exhaustive search: batches of k nearest on uniform codes, and one query at the speed of memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import measure
import numpy as np
import pytest
from peers import FaissFlat, HashIndex, NumPy, Peer, UsearchExact
from sets import Data, uniform

from hashindex.engines.native.engine import NativeEngine, available_isas

K, N_CODES, N_QUERIES = 10, 1_000_000, 256
STREAM_CODES = 67_000_000  # 536 MB: beyond any cache

PEERS: dict[str, Callable[[], Peer]] = {
    "hashindex": HashIndex,
    "hashindex-scan": lambda: HashIndex(method="scan"),
    "hashindex-avx512bw": lambda: HashIndex(NativeEngine("avx512bw"), "scan"),
    "hashindex-avx2": lambda: HashIndex(NativeEngine("avx2"), "scan"),
    "hashindex-numba": lambda: HashIndex("numba", "scan"),
    "faiss-flat": FaissFlat,
    "usearch-exact": UsearchExact,
    "numpy": NumPy,
}
SLOW = {"usearch-exact": 8, "numpy": 16}  # queries they are given


@pytest.mark.parametrize("n_bits", [64, 256, 1024])
@pytest.mark.parametrize("name", PEERS)
def test_scan_nearest(benchmark: Any, n_bits: int, name: str) -> None:
    isa = name.removeprefix("hashindex-")
    if isa.startswith("avx") and isa not in available_isas()[1:]:
        pytest.skip(f"{isa} is not a second choice here")
    data = uniform(n_bits, N_CODES, N_QUERIES).first(SLOW.get(name, N_QUERIES))
    peer = PEERS[name]().build(data.codes)
    measure.nearest(benchmark, peer, data, K, row="scan", case=f"{n_bits} bits")


@lru_cache(1)
def stream() -> Data:
    return uniform(64, STREAM_CODES, 8)


READERS: dict[str, Callable[[np.ndarray[Any, Any]], object]] = {
    "max": np.max,
    "sum": np.sum,
    "xor": np.bitwise_xor.reduce,
    "bytes max": lambda words: words.view(np.uint8).max(),
}


def test_stream_read(benchmark: Any) -> None:
    """The bandwidth to compare with: NumPy's fastest reduction over the same bytes."""
    words = stream().codes.view(np.uint64).ravel()
    times = {name: min(measure.seconds(partial(read, words)) for _ in range(3)) for name, read in READERS.items()}
    best = min(times, key=lambda name: times[name])
    labels = {"row": "stream", "case": "1 query, 6.7e7 codes, 64 bits", "peer": "NumPy read", "settings": best}
    measure.timed(benchmark, lambda: READERS[best](words), labels | {"n_queries": 1, "bytes": words.nbytes})


@pytest.mark.parametrize("work", ["k = 10", "radius 2"])
def test_scan_stream(benchmark: Any, work: str) -> None:
    data = stream().first(1)
    peer = HashIndex(method="scan").build(data.codes)
    labels: dict[str, Any] = {"row": "stream", "case": "1 query, 6.7e7 codes, 64 bits", "bytes": data.codes.nbytes}
    if work == "k = 10":
        measure.nearest(benchmark, peer, data, K, **labels | {"peer": "hashindex scan, k = 10"})
    else:
        measure.radius(benchmark, peer, data, 2, **labels | {"peer": "hashindex scan, radius 2"})
