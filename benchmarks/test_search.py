"""Batched searches over uniform codes, one thread: hashindex beside faiss IndexBinaryFlat.

    make bench

Every answer is compared with faiss's before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

import hashindex as hx

N_CODES, N_QUERIES, K = 1_000_000, 256, 10
WORK = {"k-NN, k = 10": {"k": K}, "radius 2": {"radius": 2}}
OURS = ("native scan", "native auto", "numba scan")


@cache
def data(n_bits: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Codes, and queries that differ from a code in 0 to 2 bits."""
    rng = np.random.default_rng(n_bits)
    codes = rng.integers(0, 256, (N_CODES, n_bits // 8), dtype=np.uint8)
    queries = codes[rng.integers(0, N_CODES, N_QUERIES)]
    for i, bit in enumerate(rng.integers(0, n_bits, N_QUERIES)):
        queries[i, bit // 8] ^= (i % 3 > 0) << (bit % 8)
    return codes, queries


@cache
def flat(n_bits: int) -> Any:
    index = faiss.IndexBinaryFlat(n_bits)
    index.add(data(n_bits)[0])
    return index


@cache
def ours(n_bits: int, engine: str) -> hx.HashIndex:
    index = hx.HashIndex(n_bits, engine=engine)
    index.add(data(n_bits)[0])
    return index


@cache
def truth(n_bits: int, work: str) -> list[list[tuple[int, int]]]:
    """faiss's answer as sorted (distance, id) per query; ties at the k-th distance stay open for k-NN."""
    queries = data(n_bits)[1]
    if "radius" in WORK[work]:
        offsets, distances, ids = flat(n_bits).range_search(queries, WORK[work]["radius"] + 1)  # faiss is strict
        return [
            sorted(zip(distances[a:b].astype(int).tolist(), ids[a:b].tolist(), strict=True))
            for a, b in pairwise(offsets)
        ]
    distances, ids = flat(n_bits).search(queries, K)
    return [
        [(d, i if d < row[-1] else -1) for d, i in sorted(zip(row.tolist(), at.tolist(), strict=True))]
        for row, at in zip(distances, ids, strict=True)
    ]


def answer(index: hx.HashIndex, queries: NDArray[np.uint8], work: str, method: str) -> list[list[tuple[int, int]]]:
    found = index.search(queries, **WORK[work], method=method, n_threads=1)
    rows = [list(zip(*(part.tolist() for part in found.row(i)), strict=True)) for i in range(len(queries))]
    if "k" in WORK[work]:
        return [[(d, i if d < row[-1][0] else -1) for d, i in row] for row in rows]
    return rows


@pytest.mark.parametrize("n_bits", [64, 256, 1024])
@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("peer", [*OURS, "faiss Flat"])
def test_batch(benchmark: Any, n_bits: int, work: str, peer: str) -> None:
    faiss.omp_set_num_threads(1)
    queries = data(n_bits)[1]
    search: Callable[[], object]
    if peer == "faiss Flat":
        if "k" in WORK[work]:
            search = lambda: flat(n_bits).search(queries, K)  # noqa: E731
        else:
            search = lambda: flat(n_bits).range_search(queries, WORK[work]["radius"] + 1)  # noqa: E731
    else:
        engine, method = peer.split()
        index = ours(n_bits, engine)
        assert answer(index, queries, work, method) == truth(n_bits, work)
        for _ in range(20 if method == "auto" else 0):  # let the planner decide whether tables pay
            index.search(queries, **WORK[work], n_threads=1)
        search = lambda: index.search(queries, **WORK[work], method=method, n_threads=1)  # noqa: E731
    benchmark.group = f"{work}, {n_bits} bits"
    benchmark.extra_info.update(work=work, n_bits=n_bits, peer=peer, n_codes=N_CODES, n_queries=N_QUERIES)
    benchmark.pedantic(search, rounds=7, warmup_rounds=1)
