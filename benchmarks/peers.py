"""The libraries measured: one adapter each, all of them answering ``radius`` or ``nearest`` on one thread."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from math import comb
from typing import Any, Literal

import faiss
import numpy as np
from checks import Hits, Near, joined
from numpy.typing import NDArray
from sets import Codes

import hashindex as hx
from hashindex.engines import Engine
from hashindex.index import Method

Kind = Literal["radius", "k"]


class Peer(ABC):
    """A library with its settings and the codes it holds; a radius is inclusive. Some search in one way only."""

    name: str
    exact = True
    build_s: float | None = None
    radius: Callable[[Codes, int], Hits]  # where it is measured on such searches
    nearest: Callable[[Codes, int], Near]  # where it is measured on such searches

    @property
    def settings(self) -> str:
        return ""

    def build(self, codes: Codes) -> Peer:
        start = time.perf_counter()
        self.fill(codes)
        self.build_s = time.perf_counter() - start
        return self

    @abstractmethod
    def fill(self, codes: Codes) -> None: ...

    def find(self, queries: Codes, kind: Kind, size: int) -> Hits | Near:
        return self.radius(queries, size) if kind == "radius" else self.nearest(queries, size)

    def one_by_one(self, queries: Codes, kind: Kind, size: int) -> Hits | Near:
        """The same answer from calls with one query each."""
        return joined([self.find(queries[i : i + 1], kind, size) for i in range(len(queries))])

    def call(self, kind: Kind, size: int) -> Callable[[Codes], Any]:
        """The library's own call behind :meth:`find`, where it is fast enough for the adapter to matter."""
        return lambda queries: self.find(queries, kind, size)


class Growing(Peer):
    """A library whose index takes more codes."""

    @abstractmethod
    def add(self, codes: Codes) -> None:
        """Add to what the peer was filled with."""


class HashIndex(Growing):
    """This library with an engine and a method."""

    def __init__(self, engine: str | Engine = "native", method: Method = "auto", n_threads: int = 1) -> None:
        self.engine, self.method, self.n_threads = engine, method, n_threads
        name = engine if isinstance(engine, str) else engine.description.removeprefix("native ").strip("()")
        self.name = " ".join(["hashindex", *(part for part in (name, method) if part not in ("native", "auto"))])

    def fill(self, codes: Codes) -> None:
        self.index = hx.HashIndex(codes.shape[1] * 8, engine=self.engine)
        self.add(codes)

    def add(self, codes: Codes) -> None:
        self.index.add(codes)

    def radius(self, queries: Codes, radius: int) -> Hits:
        return Hits(*self.index.search(queries, radius=radius, method=self.method, n_threads=self.n_threads))

    def nearest(self, queries: Codes, k: int) -> Near:
        return Near(*self.index.search(queries, k=k, method=self.method, n_threads=self.n_threads))

    def call(self, kind: Kind, size: int) -> Callable[[Codes], Any]:
        options: dict[str, Any] = {kind: size, "method": self.method, "n_threads": self.n_threads}
        return partial(self.index.search, **options)


class Faiss(Peer):
    """What faiss's binary indexes share: a strict radius, one global number of threads."""

    index: Any

    def fill(self, codes: Codes) -> None:
        self.index.add(codes)

    def add(self, codes: Codes) -> None:
        self.index.add(codes)

    def radius(self, queries: Codes, radius: int) -> Hits:
        return Hits(*self.index.range_search(queries, radius + 1))

    def nearest(self, queries: Codes, k: int) -> Near:
        return Near(*self.index.search(queries, k))

    def call(self, kind: Kind, size: int) -> Callable[[Codes], Any]:
        if kind == "radius":
            return partial(self.index.range_search, thresh=size + 1)
        return partial(self.index.search, k=size)


class FaissFlat(Faiss, Growing):
    name = "faiss Flat"

    def fill(self, codes: Codes) -> None:
        self.index = faiss.IndexBinaryFlat(codes.shape[1] * 8)
        self.index.add(codes)


class FaissMultiHash(Faiss):
    """Hash tables over ``nhash`` substrings of ``b`` bits, each looked up within ``nflip`` flips."""

    name = "faiss MultiHash"

    def __init__(self, nhash: int, b: int, radius: int) -> None:
        self.nhash, self.b, self.nflip = nhash, b, fewest_flips(nhash, radius)

    @property
    def settings(self) -> str:
        return f"nhash={self.nhash} b={self.b} nflip={self.nflip}"

    def fill(self, codes: Codes) -> None:
        self.index = faiss.IndexBinaryMultiHash(codes.shape[1] * 8, self.nhash, self.b)
        self.index.nflip = self.nflip
        self.index.add(codes)


class FaissHash(FaissMultiHash):
    """One table over the first ``b`` bits."""

    name = "faiss Hash"

    def __init__(self, b: int, radius: int) -> None:
        super().__init__(1, b, radius)

    def fill(self, codes: Codes) -> None:
        self.index = faiss.IndexBinaryHash(codes.shape[1] * 8, self.b)
        self.index.nflip = self.nflip
        self.index.add(codes)


def fewest_flips(nhash: int, radius: int) -> int:
    """The least nflip that loses nothing: nhash * (nflip + 1) > radius, by the pigeonhole principle."""
    return -(-(radius + 1) // nhash) - 1


def multi_hash_grid(n_bits: int, radius: int, narrow: int = 20, most_lookups: int = 20_000) -> list[FaissMultiHash]:
    """Exact settings worth a try: from one table to radius + 1, over all bits and over ``narrow`` bits each."""
    grid: list[FaissMultiHash] = []
    for nhash in (n for n in (1, 2, 3, 4, 5, 6, 8, 9, 11, 16, 32) if n <= radius + 1):
        for b in sorted({min(n_bits // nhash, 62), min(n_bits // nhash, narrow)}):
            flips = fewest_flips(nhash, radius)
            if nhash * sum(comb(b, i) for i in range(flips + 1)) <= most_lookups:
                grid.append(FaissHash(b, radius) if nhash == 1 else FaissMultiHash(nhash, b, radius))
    return grid


class UsearchExact(Peer):
    name = "usearch exact"

    def fill(self, codes: Codes) -> None:
        self.codes = codes

    def nearest(self, queries: Codes, k: int) -> Near:
        from usearch.index import search

        found = search(self.codes, queries, k, "hamming", exact=True, threads=1, dtype="b1")
        distances, ids = (part.reshape(len(queries), -1) for part in (found.distances, found.keys))
        return Near(distances.astype(np.int32), ids.astype(np.int64))


class NumPy(Growing):
    """``numpy.bitwise_count`` over all codes, one query after the other; room for codes to come doubles."""

    name = "NumPy"

    def fill(self, codes: Codes) -> None:
        self.room, self.n_codes = codes.view(np.uint64), len(codes)

    def add(self, codes: Codes) -> None:
        end = self.n_codes + len(codes)
        if end > len(self.room):
            more = np.empty((end, self.room.shape[1]), np.uint64)
            self.room = np.concatenate([self.room[: self.n_codes], more])
        self.room[self.n_codes : end] = codes.view(np.uint64)
        self.n_codes = end

    def distances(self, query: NDArray[np.uint64]) -> NDArray[np.int32]:
        found: NDArray[np.int32] = np.bitwise_count(self.room[: self.n_codes] ^ query).sum(axis=1, dtype=np.int32)
        return found

    def radius(self, queries: Codes, radius: int) -> Hits:
        rows = []
        for query in queries.view(np.uint64):
            distances = self.distances(query)
            ids = np.flatnonzero(distances <= radius)
            rows.append((distances[ids], ids))
        offsets = np.cumsum([0, *(len(ids) for _, ids in rows)])
        return Hits(offsets, *(np.concatenate(part) for part in zip(*rows, strict=True)))

    def nearest(self, queries: Codes, k: int) -> Near:
        rows = []
        for query in queries.view(np.uint64):
            distances = self.distances(query)
            best = np.argpartition(distances, k)[:k] if k < len(distances) else np.arange(len(distances))
            best = best[np.argsort(distances[best], kind="stable")]
            rows.append((distances[best], best))
        return Near(*(np.stack(part) for part in zip(*rows, strict=True)))
