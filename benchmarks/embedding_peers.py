"""Searches of embeddings: float vectors go in, ids of the nearest come out. Here those that keep numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from sets import Floats, temporary

Ids = NDArray[np.int64]


class Finder(ABC):
    """A search, what it keeps of the vectors, and an effort to raise until it finds what is wanted."""

    name: str
    kept: str
    settings: str = ""
    wanted = 0.0
    efforts: tuple[int, ...] = (0,)

    @abstractmethod
    def fill(self, vectors: Floats) -> None:
        """Take the vectors, which the caller keeps too."""

    @abstractmethod
    def find(self, queries: Floats, k: int) -> Ids:
        """Return ids (n_queries, k), the nearest first."""

    @property
    @abstractmethod
    def n_bytes(self) -> int:
        """What a search reads, everything included."""

    def exert(self, effort: int) -> None:
        """Set the effort, where there is one."""
        self.effort = effort


class NumPyFloats(Finder):
    """A product of matrices for a block of queries."""

    name, kept = "NumPy", "float32"

    def fill(self, vectors: Floats) -> None:
        self.vectors = vectors

    def find(self, queries: Floats, k: int) -> Ids:
        found = np.empty((len(queries), k), np.int64)
        for start in range(0, len(queries), 100):
            part = slice(start, start + 100)
            scores = queries[part] @ self.vectors.T
            best = np.argpartition(scores, -k, axis=1)[:, -k:]
            order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
            found[part] = np.take_along_axis(best, order, axis=1)
        return found

    @property
    def n_bytes(self) -> int:
        return self.vectors.nbytes


class FaissFloats(Finder):
    """An index that faiss makes of its own words for it; with ``oversample``, the floats order what that one finds.

    A graph is kept in the temporary folder.
    """

    efforts: tuple[int, ...] = (0,)

    def __init__(self, name: str, kept: str, factory: str, *, oversample: int = 0) -> None:
        self.name, self.kept, self.oversample = f"faiss {name}", kept, oversample
        self.factory = f"{factory},RFlat" if oversample else factory
        self.rescored = f"rescored by float32, {oversample=}" if oversample else ""
        self.settings = self.rescored

    def fill(self, vectors: Floats) -> None:
        path = temporary() / f"sentences-{len(vectors)}-{self.factory}.faiss"
        if path.exists():
            self.index: Any = faiss.read_index(str(path))
        else:
            self.index = faiss.index_factory(vectors.shape[1], self.factory, faiss.METRIC_INNER_PRODUCT)
            self.index.train(vectors)
            self.index.add(vectors)
            if "HNSW" in self.factory:
                faiss.write_index(self.index, str(path))
        if self.oversample:
            faiss.ParameterSpace().set_index_parameter(self.index, "k_factor_rf", self.oversample)

    def find(self, queries: Floats, k: int) -> Ids:
        found: Ids = self.index.search(queries, k)[1]
        return found

    @property
    def n_bytes(self) -> int:
        return int(faiss.serialize_index(self.index).nbytes)


class FaissTuned(FaissFloats):
    """One with a parameter to raise until it finds enough."""

    efforts = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)

    def __init__(self, name: str, kept: str, factory: str, raised: str, wanted: float, *, oversample: int = 0) -> None:
        super().__init__(name, kept, factory, oversample=oversample)
        self.raised, self.wanted = raised, wanted

    def exert(self, effort: int) -> None:
        faiss.ParameterSpace().set_index_parameter(self.index, self.raised, effort)
        self.settings = ", ".join(part for part in (f"{self.raised}={effort}", self.rescored) if part)
