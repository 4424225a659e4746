"""The libraries measured that find the k nearest approximately, each with an effort to raise."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from checks import Near
from peers import Faiss, Peer
from sets import Codes, temporary

import hashindex as hx


class Approximate(Peer):
    """A peer with an effort to raise until its recall suffices."""

    exact = False
    efforts: tuple[int, ...] = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
    effort = 16


class HashIndexRecall(Approximate):
    """This library, asked for enough of the nearest: the effort is the recall, in thousandths."""

    name = "hashindex recall"
    efforts = (980, 985, 990, 995, 998)
    effort = 980

    @property
    def settings(self) -> str:
        return f"recall={self.effort / 1000}"

    def fill(self, codes: Codes) -> None:
        self.index = hx.HashIndex(codes.shape[1] * 8, engine="native")
        self.index.add(codes)
        self.index.prepare(k=10, recall=0.98, n_threads=1)

    def nearest(self, queries: Codes, k: int) -> Near:
        return Near(*self.index.search(queries, k=k, recall=self.effort / 1000, n_threads=1))


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
