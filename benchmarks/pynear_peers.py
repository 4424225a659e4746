"""pynear's indexes: exact ones within a radius and for the k nearest, and approximate ones."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pynear
from approximate_peers import Approximate
from checks import Hits, Near
from peers import Kind, Peer
from sets import Codes, temporary


class PynearWithin(Peer):
    """Multi-index hashing over ``m`` substrings, which finds all within a radius if it may return as many."""

    name = "pynear MIH"

    def __init__(self, m: int) -> None:
        self.m, self.most = m, 64

    @property
    def settings(self) -> str:
        return f"m={self.m}"

    def fill(self, codes: Codes) -> None:
        self.index = pynear.MIHBinaryIndex(self.m)
        self.index.set(codes)

    def radius(self, queries: Codes, radius: int) -> Hits:
        while True:
            ids, distances = self.index.searchKNN_arrays(queries, self.most, radius)
            inside = distances <= radius
            if not inside[:, -1].any():
                break
            self.most *= 2
        return Hits(np.concatenate([[0], inside.sum(axis=1).cumsum()]), distances[inside], ids[inside])

    def call(self, kind: Kind, size: int) -> Callable[[Codes], Any]:  # noqa: ARG002
        """For queries of which none finds more than those before it."""
        return partial(self.index.searchKNN_arrays, k=self.most, radius=size)


class PynearBKTree(Peer):
    name = "pynear BKTree"

    def fill(self, codes: Codes) -> None:
        self.index = pynear.BKTreeBinaryIndex()
        self.index.set(codes)

    def radius(self, queries: Codes, radius: int) -> Hits:
        ids, distances, _ = self.index.find_threshold(queries, radius)
        offsets = np.cumsum([0, *map(len, ids)])
        return Hits(offsets, *(np.fromiter(chain.from_iterable(part), np.int64) for part in (distances, ids)))


def within_grid(n_bits: int) -> list[Peer]:
    """Exact settings worth a try: keys of 8 to 32 bits, and the tree."""
    return [*(PynearWithin(n_bits // width) for width in (8, 16, 32)), PynearBKTree()]


class PynearVPTree(Peer):
    name = "pynear VPTree"

    def fill(self, codes: Codes) -> None:
        kinds = {8: pynear.VPTreeBinaryIndex64, 16: pynear.VPTreeBinaryIndex128, 32: pynear.VPTreeBinaryIndex256}
        self.index = kinds.get(codes.shape[1], pynear.VPTreeBinaryIndexN)()
        self.index.set(codes)

    def nearest(self, queries: Codes, k: int) -> Near:
        ids, distances = self.index.searchKNN_arrays(queries, k)
        return Near(distances, ids)


class PynearMIH(Approximate):
    """pynear's multi-index hashing: k nearest, from buckets within a radius."""

    name = "pynear MIH"
    efforts = (2, 4, 8, 12, 16, 24, 32, 48, 64)
    m: int

    @property
    def settings(self) -> str:
        return f"m={self.m} radius={self.effort}"

    def fill(self, codes: Codes) -> None:
        self.m = codes.shape[1] // 2  # substrings of 16 bits
        self.index = pynear.MIHBinaryIndex(self.m)
        self.index.set(codes)

    def nearest(self, queries: Codes, k: int) -> Near:
        ids, distances = self.index.searchKNN_arrays(queries, k, self.effort)
        return Near(distances, ids)


class PynearIVF(Approximate):
    """pynear's inverted lists, which no file can keep."""

    name = "pynear IVF"
    efforts = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024)

    def __init__(self, n_lists: int = 1024) -> None:
        self.n_lists = n_lists

    @property
    def settings(self) -> str:
        return f"nlist={self.n_lists} nprobe={self.effort}"

    def fill(self, codes: Codes) -> None:
        self.index = pynear.IVFFlatBinaryIndex(nlist=self.n_lists)
        self.index.set(codes)

    def nearest(self, queries: Codes, k: int) -> Near:
        self.index.set_nprobe(self.effort)
        ids, distances = self.index.searchKNN_arrays(queries, k)
        return Near(distances, ids)


class PynearHNSW(Approximate):
    """pynear's graph, built with faiss's effort; built ones are kept in the temporary folder, as is what that took."""

    name = "pynear HNSW"
    index: Any

    def __init__(self, label: str, m: int = 16, effort_of_build: int = 40) -> None:
        self.label, self.m, self.effort_of_build = label, m, effort_of_build

    @property
    def settings(self) -> str:
        return f"M={self.m} ef_search={self.effort}"

    def build(self, codes: Codes) -> Peer:
        kept = temporary() / f"{self.label}-{codes.shape[1] * 8}-{len(codes)}-M{self.m}.pynear"
        if not kept.exists():
            super().build(codes)
            kept.write_bytes(pickle.dumps((self.index, self.build_s)))
        self.index, self.build_s = pickle.loads(kept.read_bytes())
        return self

    def fill(self, codes: Codes) -> None:
        self.index = pynear.HNSWBinaryIndex(self.m, self.effort_of_build)
        self.index.set(codes)

    def nearest(self, queries: Codes, k: int) -> Near:
        self.index.set_ef(self.effort)
        ids, distances = self.index.searchKNN_arrays(queries, k)
        return Near(distances, ids)
