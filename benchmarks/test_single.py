"""Calls one at a time, as a service makes them: lone searches, a search before every add, the first of an index."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import faiss
import first_queries
import measure
import numpy as np
import pynear
import pytest
from checks import Hits, Near, exact, joined, same
from peers import FaissFlat, Growing, HashIndex, Kind, NumPy, Peer, UsearchExact
from pynear_peers import PynearVPTree, PynearWithin
from sets import Codes, Data, flip, power, random_codes, uniform
from usearch.index import Index

import hashindex as hx
from hashindex.engines.native.engine import NativeEngine, available_isas

CHECKED = 100  # queries whose answers are compared with faiss's before the timing
FEW = {"usearch exact": 5, "pynear VPTree": 5}  # of a slow one
N_STREAMED, CHECKED_STREAM = 12_000, 2_000
ANSWER: dict[Kind, type[Hits] | type[Near]] = {"radius": Hits, "k": Near}
LONE: dict[str, tuple[Kind, int]] = {"radius 2": ("radius", 2), "k = 10": ("k", 10)}
STREAMED: dict[str, tuple[Kind, int]] = {"radius 3": ("radius", 3), "k = 1": ("k", 1)}


def ours() -> list[HashIndex]:
    """With the best instructions of this CPU, and with AVX2 where those are newer."""
    return [HashIndex(), HashIndex(NativeEngine("avx2"))] if "avx2" in available_isas()[1:] else [HashIndex()]


@pytest.mark.parametrize("work", LONE)
@pytest.mark.parametrize("n_codes", [100, 1_000, 10_000, 100_000, 1_000_000])
@pytest.mark.parametrize("n_bits", [64, 256])
def test_lone(benchmark: Any, work: str, n_bits: int, n_codes: int) -> None:
    kind, size = LONE[work]
    data = uniform(n_bits, n_codes)
    peers: list[Peer] = [*ours(), FaissFlat()]
    peers += [UsearchExact(), PynearVPTree()] if kind == "k" else [PynearWithin(n_bits // 16)]
    for peer in peers:
        few = data.first(FEW.get(peer.name, CHECKED))
        peer.build(data.codes)
        assert exact(few, peer.one_by_one(few.queries, kind, size), size), f"{peer.name} is not exact"
    calls = {peer.name: peer.call(kind, size) for peer in peers}
    us = {name: seconds * 1e6 for name, seconds in measure.lone(calls, data.queries).items()}
    labels = {"data": data.name, "n_bits": n_bits, "n_codes": n_codes, "n_queries": 1, "threads": 1}
    case = f"{work}, {n_bits} bits, {power(n_codes)} codes"
    benchmark.extra_info.update(labels, row="single", case=case, us=us)
    benchmark.pedantic(calls["hashindex"], args=(data.queries[:1],), rounds=1)


def arriving(n_bits: int) -> Data:
    """Codes as they arrive, one in four a near-duplicate of one before it; each but the first is a query first."""
    rng = np.random.default_rng([n_bits, 12])
    codes = random_codes(rng, N_STREAMED, n_bits)
    for i in range(4, N_STREAMED, 4):
        codes[i] = flip(rng, codes[rng.integers(i)][None], np.array([i % 5]))[0]
    return Data("arriving", codes, codes[1:])


def stream(peer: Growing, data: Data, kind: Kind, size: int) -> list[Any]:
    """Search for every code, then add it; the answers of the searches."""
    peer.fill(data.codes[:1])
    search, answers = peer.call(kind, size), []
    for i in range(len(data.queries)):
        code = data.queries[i : i + 1]
        answers.append(search(code))
        peer.add(code)
    return answers


@pytest.mark.parametrize("work", STREAMED)
@pytest.mark.parametrize("n_bits", [64, 256])
def test_streaming(benchmark: Any, work: str, n_bits: int) -> None:
    kind, size = STREAMED[work]
    data = arriving(n_bits)
    peers: list[Growing] = [*ours(), FaissFlat(), NumPy()]
    few = data.first(CHECKED_STREAM)
    found = {peer.name: joined([ANSWER[kind](*answer) for answer in stream(peer, few, kind, size)]) for peer in peers}
    for name, answers in found.items():
        assert same(few, answers, found["faiss Flat"]), f"{name} is not exact"
    works = {peer.name: partial(stream, peer, data, kind, size) for peer in peers}
    slow = {"NumPy": works.pop("NumPy")}
    times = measure.alternating(works, rounds=9) | measure.alternating(slow, rounds=1)
    us = {name: seconds * 1e6 for name, seconds in times.items()}
    labels = {"data": data.name, "n_bits": n_bits, "n_codes": N_STREAMED, "threads": 1}
    case = f"{work}, {n_bits} bits, {N_STREAMED:,} codes"
    benchmark.extra_info.update(labels, row="streaming", case=case, us=us)
    benchmark.pedantic(works["hashindex"], rounds=1)


def test_adding(benchmark: Any) -> None:
    """A million codes, one at a time."""
    data = uniform(64)

    def add_each(peer: Growing) -> None:
        peer.fill(data.codes[:0])
        for i in range(len(data.codes)):
            peer.add(data.codes[i : i + 1])

    few = data.first(CHECKED)
    peers: list[Growing] = [HashIndex(), FaissFlat()]
    times = measure.alternating({peer.name: partial(add_each, peer) for peer in peers}, rounds=5)
    for peer in peers:
        assert exact(few, peer.find(few.queries, "k", 10), 10), f"{peer.name} has not all the codes"
    us = {name: seconds / len(data.codes) * 1e6 for name, seconds in times.items()}
    labels = {"data": data.name, "n_bits": 64, "n_codes": len(data.codes), "threads": 1}
    benchmark.extra_info.update(labels, row="adding", case="64 bits, one at a time, to 1e6 codes", us=us)
    benchmark.pedantic(partial(HashIndex().fill, data.codes), rounds=1)  # all at once, to compare


def into_usearch() -> Callable[[Codes], Any]:
    """Adds a code to a graph of usearch's, under the next number."""
    index, ids = Index(ndim=64, metric="hamming", dtype="b1", connectivity=16), count()
    return lambda code: index.add(next(ids), code[0], threads=1)


INTO: dict[str, Callable[[], Callable[[Codes], Any]]] = {
    "hashindex": lambda: hx.HashIndex(64, engine="native").add,
    "faiss Flat": lambda: faiss.IndexBinaryFlat(64).add,
    "faiss HNSW": lambda: faiss.IndexBinaryHNSW(64, 16).add,
    "usearch HNSW": into_usearch,
    "pynear HNSW": lambda: pynear.HNSWBinaryIndex(16).add,
}


def test_adding_to_graphs(benchmark: Any) -> None:
    """A hundred thousand codes, one at a time, into what can be searched at any moment."""
    codes = uniform(64, 100_000).codes

    def each(name: str) -> None:
        add = INTO[name]()
        for i in range(len(codes)):
            add(codes[i : i + 1])

    us = {name: measure.seconds(partial(each, name)) / len(codes) * 1e6 for name in INTO}
    labels = {"data": "uniform", "n_bits": 64, "n_codes": len(codes), "threads": 1}
    benchmark.extra_info.update(labels, row="adding", case="64 bits, one at a time, to 1e5 codes", us=us)
    benchmark.pedantic(partial(each, "hashindex"), rounds=1)


@pytest.mark.parametrize("n_codes", first_queries.SIZES)
@pytest.mark.parametrize("n_bits", first_queries.BITS)
@pytest.mark.parametrize("name", first_queries.SETS)
def test_first_queries(benchmark: Any, name: str, n_bits: int, n_codes: int) -> None:
    cells = [cell.described() for cell in first_queries.cells(name, n_bits, n_codes)]
    data = first_queries.SETS[name](n_bits, n_codes)
    labels = {"data": data.name, "n_bits": n_bits, "n_codes": n_codes, "threads": 1, "peer": "auto"}
    case = f"{data.name}, {n_bits} bits, {power(n_codes)} codes"
    benchmark.extra_info.update(labels, row="first queries", case=case, cells=cells)
    first = first_queries.fresh(data, "auto").call("k", 10)
    benchmark.pedantic(first, args=(data.queries[:1],), rounds=1)
