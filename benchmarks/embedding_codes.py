"""Searches of embeddings that keep codes of them: how the codes are made, and who searches them."""

from __future__ import annotations

import pickle
from abc import abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import faiss
import numpy as np
import pytest
from embedding_peers import Finder, Ids
from numpy.typing import NDArray
from sets import Codes, Floats, embeddings, temporary

import hashindex as hx
from hashindex.baselines import ITQ, LSH
from hashindex.connect.sentence_transformers import semantic_search

ITQ_BITS, LSH_BITS = (128, 256, 384, 512, 1024), (512, 1024)


class Coder(Protocol):
    """Makes values of vectors, whose signs are the code."""

    def fit(self, x: Any) -> Any: ...

    def project(self, x: Any) -> NDArray[Any]: ...


class Signs:
    """The dimensions as they are, or less their mean."""

    def __init__(self, *, centred: bool) -> None:
        self.centred = centred

    def fit(self, x: Floats) -> Signs:
        self.mean = x.mean(axis=0) if self.centred else np.zeros(x.shape[1], np.float32)
        return self

    def project(self, x: Floats) -> Floats:
        return x - self.mean


CODERS: dict[str, Coder] = {
    "signs": Signs(centred=False),
    "signs less the mean": Signs(centred=True),
    **{f"ITQ, {n_bits} bits": ITQ(n_bits) for n_bits in ITQ_BITS},
    **{f"LSH, {n_bits} bits": LSH(n_bits) for n_bits in LSH_BITS},
}


@lru_cache(1)
def coded(kept: str) -> tuple[Coder, Codes]:
    """The coder that has learned from the vectors, and their codes; kept in the temporary folder."""
    vectors = embeddings().vectors
    path = temporary() / f"sentences-{len(vectors)}-{kept}.pickle"
    if not path.exists():
        coder = CODERS[kept]
        coder.fit(vectors)
        codes = np.concatenate([hx.pack(coder.project(part)) for part in np.array_split(vectors, 20)])
        path.write_bytes(pickle.dumps((coder, codes)))
    made: tuple[Coder, Codes] = pickle.loads(path.read_bytes())
    return made


class Bits(Finder):
    """A search of codes."""

    def __init__(self, kept: str) -> None:
        self.kept = kept

    def fill(self, vectors: Floats) -> None:  # noqa: ARG002
        self.coder, codes = coded(self.kept)
        self.take(codes)

    @abstractmethod
    def take(self, codes: Codes) -> None:
        """Take what is to be searched."""


class FaissBits(Bits):
    name = "faiss BinaryFlat"

    def take(self, codes: Codes) -> None:
        self.index = faiss.IndexBinaryFlat(8 * codes.shape[1])
        self.index.add(codes)

    def find(self, queries: Floats, k: int) -> Ids:
        found: Ids = self.index.search(hx.pack(self.coder.project(queries)), k)[1]
        return found

    @property
    def n_bytes(self) -> int:
        return int(self.index.code_size * self.index.ntotal)


class UsearchBits(Bits):
    """usearch's graph, with an effort that finds nearly all that the bits find."""

    name, settings = "usearch HNSW", "connectivity=16 expansion_search=256"

    def take(self, codes: Codes) -> None:
        from usearch.index import Index

        path = temporary() / f"sentences-{len(codes)}-{self.kept}.usearch"
        how: dict[str, Any] = {"metric": "hamming", "dtype": "b1", "connectivity": 16, "expansion_search": 256}
        self.index = Index(ndim=8 * codes.shape[1], **how)
        if path.exists():
            self.index.load(str(path))
        else:
            self.index.add(np.arange(len(codes)), codes, threads=1)
            self.index.save(str(path))

    def find(self, queries: Floats, k: int) -> Ids:
        found = self.index.search(hx.pack(self.coder.project(queries)), k, threads=1).keys
        return found.reshape(len(queries), k).astype(np.int64)

    @property
    def n_bytes(self) -> int:
        return int(self.index.serialized_length)


class HashIndexBits(Bits):
    """This library: the codes alone, or what they find in the order of the bits or of the vectors kept beside them."""

    name = "hashindex"

    def __init__(self, kept: str, rescored: str = "", oversample: int = 4) -> None:
        super().__init__(kept)
        self.rescored, self.oversample = rescored, oversample
        if rescored:
            self.settings = f"rescored by {rescored}, oversample={oversample}"

    def fill(self, vectors: Floats) -> None:
        super().fill(vectors)
        beside = self.rescored not in ("", "bits")
        self.vectors = vectors.astype(self.rescored, copy=False) if beside else None

    def take(self, codes: Codes) -> None:
        self.index = hx.HashIndex(8 * codes.shape[1], engine="native")
        self.index.add(codes)

    def find(self, queries: Floats, k: int) -> Ids:
        values = self.coder.project(queries)
        if not self.rescored:
            return self.index.search(hx.pack(values), k=k, n_threads=1).ids
        by = values if self.vectors is None else queries
        how: dict[str, Any] = {"oversample": self.oversample, "vectors": self.vectors, "n_threads": 1}
        return self.index.search(hx.pack(values), k=k, rescore=by, **how).ids

    @property
    def n_bytes(self) -> int:
        return weight(self.index) + (0 if self.vectors is None else self.vectors.nbytes)


class Semantic(Bits):
    """What users of sentence-transformers call, over the signs as it makes them: ours."""

    name, settings = "hashindex, semantic_search", "rescored by bits, rescore_multiplier=4"
    search: Callable[..., Any]
    index: Any

    def __init__(self) -> None:
        super().__init__("signs")

    def take(self, codes: Codes) -> None:
        self.search, self.index = semantic_search, hx.HashIndex(8 * codes.shape[1], engine="native")
        self.index.add(codes)

    def find(self, queries: Floats, k: int) -> Ids:
        how: dict[str, Any] = {"corpus_precision": "ubinary", "top_k": k, "rescore_multiplier": 4}
        hits = self.search(queries, corpus_index=self.index, **how)[0]
        return np.array([[hit["corpus_id"] for hit in row] for row in hits])

    @property
    def n_bytes(self) -> int:
        return weight(self.index)


class SemanticFaiss(Semantic):
    """Its own, over faiss."""

    name = "sentence-transformers over faiss"

    def take(self, codes: Codes) -> None:
        theirs = pytest.importorskip("sentence_transformers.util.quantization")
        self.search, self.index = theirs.semantic_search_faiss, faiss.IndexBinaryFlat(8 * codes.shape[1])
        self.index.add(codes)

    @property
    def n_bytes(self) -> int:
        return int(self.index.code_size * self.index.ntotal)


def weight(index: hx.HashIndex) -> int:
    """Bytes of all that the index keeps."""
    code = index.get(index.ids()[:1])
    return round(index.explain(code, k=10).bytes_per_code * len(index))
