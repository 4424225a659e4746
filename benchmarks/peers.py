"""The libraries measured: one adapter each, all of them answering ``radius`` or ``nearest`` on one thread."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from math import comb
from typing import Any

import faiss
import numpy as np
from checks import Hits, Near
from datasets import Codes, temporary

import hashindex as hx
from hashindex.engines import Engine
from hashindex.index import Method


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


class HashIndex(Peer):
    """This library with an engine and a method."""

    def __init__(self, engine: str | Engine = "native", method: Method = "auto", n_threads: int = 1) -> None:
        self.engine, self.method, self.n_threads = engine, method, n_threads
        name = engine if isinstance(engine, str) else engine.description.removeprefix("native ").strip("()")
        self.name = " ".join(["hashindex", *(part for part in (name, method) if part not in ("native", "auto"))])

    def fill(self, codes: Codes) -> None:
        self.index = hx.HashIndex(codes.shape[1] * 8, engine=self.engine)
        self.index.add(codes)

    def radius(self, queries: Codes, radius: int) -> Hits:
        return Hits(*self.index.search(queries, radius=radius, method=self.method, n_threads=self.n_threads))

    def nearest(self, queries: Codes, k: int) -> Near:
        return Near(*self.index.search(queries, k=k, method=self.method, n_threads=self.n_threads))


class Faiss(Peer):
    """What faiss's binary indexes share: a strict radius, one global number of threads."""

    index: Any

    def fill(self, codes: Codes) -> None:
        self.index.add(codes)

    def radius(self, queries: Codes, radius: int) -> Hits:
        return Hits(*self.index.range_search(queries, radius + 1))

    def nearest(self, queries: Codes, k: int) -> Near:
        return Near(*self.index.search(queries, k))


class FaissFlat(Faiss):
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


class Approximate(Peer):
    """A peer with an effort to raise until its recall suffices."""

    exact = False
    efforts: tuple[int, ...] = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
    effort = 16


class FaissHNSW(Approximate, Faiss):
    """faiss's graph; built ones are kept in the temporary folder, with the time that building took."""

    name = "faiss HNSW"

    def __init__(self, label: str, m: int = 16) -> None:
        self.label, self.m = label, m

    @property
    def settings(self) -> str:
        return f"M={self.m} efSearch={self.effort}"

    def build(self, codes: Codes) -> Peer:
        kept = temporary() / f"{self.label}-{codes.shape[1] * 8}-{len(codes)}-M{self.m}.faiss"
        seconds = kept.with_suffix(".seconds")
        if not seconds.exists():
            self.index = faiss.IndexBinaryHNSW(codes.shape[1] * 8, self.m)
            super().build(codes)
            faiss.write_index_binary(self.index, str(kept))
            seconds.write_text(str(self.build_s))
        self.index = faiss.read_index_binary(str(kept))
        self.build_s = float(seconds.read_text())
        return self

    def nearest(self, queries: Codes, k: int) -> Near:
        self.index.hnsw.efSearch = self.effort
        return Near(*self.index.search(queries, k))


class FaissIVF(Approximate, Faiss):
    """faiss's inverted lists around binary centroids; faiss can only train them by k-means."""

    name = "faiss IVF"
    efforts = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024)

    def __init__(self, n_lists: int = 1024) -> None:
        self.n_lists = n_lists

    @property
    def settings(self) -> str:
        return f"nlist={self.n_lists} nprobe={self.effort}"

    def fill(self, codes: Codes) -> None:
        n_bits = codes.shape[1] * 8
        self.quantizer = faiss.IndexBinaryFlat(n_bits)
        self.index = faiss.IndexBinaryIVF(self.quantizer, n_bits, self.n_lists)
        self.index.train(codes[: 40 * self.n_lists])
        self.index.add(codes)

    def nearest(self, queries: Codes, k: int) -> Near:
        self.index.nprobe = self.effort
        return Near(*self.index.search(queries, k))


class UsearchExact(Peer):
    name = "usearch exact"

    def fill(self, codes: Codes) -> None:
        self.codes = codes

    def nearest(self, queries: Codes, k: int) -> Near:
        from usearch.index import search

        found = search(self.codes, queries, k, "hamming", exact=True, threads=1, dtype="b1")
        return Near(found.distances.astype(np.int32), found.keys.astype(np.int64))


class UsearchHNSW(Approximate):
    """usearch's graph; built ones are kept in the temporary folder, with the time that building took."""

    name = "usearch HNSW"
    index: Any

    def __init__(self, label: str, m: int = 16) -> None:
        self.label, self.m = label, m

    @property
    def settings(self) -> str:
        return f"connectivity={self.m} expansion_search={self.effort}"

    def build(self, codes: Codes) -> Peer:
        from usearch.index import Index

        kept = temporary() / f"{self.label}-{codes.shape[1] * 8}-{len(codes)}-M{self.m}.usearch"
        seconds = kept.with_suffix(".usearch-seconds")
        self.index = Index(ndim=codes.shape[1] * 8, metric="hamming", dtype="b1", connectivity=self.m)
        if seconds.exists():
            self.index.load(str(kept))
            self.build_s = float(seconds.read_text())
        else:
            super().build(codes)
            self.index.save(str(kept))
            seconds.write_text(str(self.build_s))
        return self

    def fill(self, codes: Codes) -> None:
        self.index.add(np.arange(len(codes)), codes, threads=1)

    def nearest(self, queries: Codes, k: int) -> Near:
        self.index.expansion_search = self.effort
        found = self.index.search(queries, k, threads=1)
        return Near(found.distances.astype(np.int32), found.keys.astype(np.int64))


class PynearMIH(Approximate):
    """pynear's multi-index hashing: k nearest, from buckets within a radius."""

    name = "pynear MIH"
    efforts = (2, 4, 8, 12, 16, 24, 32, 48, 64)
    m: int

    @property
    def settings(self) -> str:
        return f"m={self.m} radius={self.effort}"

    def fill(self, codes: Codes) -> None:
        import pynear

        self.m = codes.shape[1] // 2  # substrings of 16 bits
        self.index = pynear.MIHBinaryIndex(self.m)
        self.index.set(codes)

    def nearest(self, queries: Codes, k: int) -> Near:
        ids, distances = self.index.searchKNN_arrays(queries, k, self.effort)
        return Near(distances, ids)


class NumPy(Peer):
    """``numpy.bitwise_count`` and a partition, one query after the other."""

    name = "NumPy"

    def fill(self, codes: Codes) -> None:
        self.words = codes.view(np.uint64)

    def nearest(self, queries: Codes, k: int) -> Near:
        rows = []
        for query in queries.view(np.uint64):
            distances = np.bitwise_count(self.words ^ query).sum(axis=1, dtype=np.int32)
            best = np.argpartition(distances, k)[:k]
            best = best[np.argsort(distances[best], kind="stable")]
            rows.append((distances[best], best))
        return Near(*(np.stack(part) for part in zip(*rows, strict=True)))
