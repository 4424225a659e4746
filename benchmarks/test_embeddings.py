"""What searches of sentence embeddings find of the ten nearest by float, and what that takes."""

from __future__ import annotations

import time
from copy import copy
from functools import lru_cache
from typing import Any

import measure
import numpy as np
import pytest
from checks import Near, same_near, true_near
from embedding_codes import (
    ITQ_BITS,
    LSH_BITS,
    FaissBits,
    HashIndexBits,
    Semantic,
    SemanticFaiss,
    UsearchBits,
    coded,
)
from embedding_peers import FaissFloats, FaissTuned, Finder, Ids, NumPyFloats
from numpy.typing import NDArray
from sets import Data, Embeddings, embeddings

import hashindex as hx

K = 10
CHECKED = 50  # queries whose rescored answers are compared with a slow one
ALIKE = 1e-6  # scores that differ by no more are equal: sums of float32 in another order
RESCORED = [("", 1), ("bits", 4), ("float32", 4), ("float32", 16)]  # by what, of how many times k
FINDERS: list[Finder] = [
    NumPyFloats(),
    FaissFloats("Flat", "float32", "Flat"),
    FaissTuned("HNSW", "float32", "HNSW32", "efSearch", 0.95),
    FaissTuned("HNSW", "float32", "HNSW32", "efSearch", 0.99),
    FaissFloats("SQ8", "int8", "SQ8"),
    FaissFloats("RaBitQ", "RaBitQ", "RaBitQfs"),
    FaissTuned("IVF", "RaBitQ", "IVF512,RaBitQfs", "nprobe", 0.95, oversample=8),
    FaissTuned("IVF", "RaBitQ", "IVF512,RaBitQfs", "nprobe", 0.98, oversample=16),
    FaissFloats("PQ", "PQ, 96 x 4 bits", "PQ96x4fs"),
    FaissFloats("PQ", "PQ, 96 x 4 bits", "PQ96x4fs", oversample=4),
    FaissFloats("PQ", "PQ, 96 x 4 bits", "PQ96x4fs", oversample=8),
    FaissBits("signs"),
    UsearchBits("signs"),
    HashIndexBits("signs"),
    HashIndexBits("signs", "bits"),
    Semantic(),
    SemanticFaiss(),
    *(HashIndexBits("signs", "float32", oversample) for oversample in (2, 4, 8, 16)),
    HashIndexBits("signs", "float16", 8),
    HashIndexBits("signs less the mean"),
    HashIndexBits("signs less the mean", "float32", 4),
    *(HashIndexBits(f"ITQ, {n_bits} bits", *how) for n_bits in ITQ_BITS for how in RESCORED),
    *(HashIndexBits(f"LSH, {n_bits} bits", *how) for n_bits in LSH_BITS for how in RESCORED[::2]),
]


@pytest.mark.parametrize("number", range(len(FINDERS)))
def test_embeddings(benchmark: Any, number: int) -> None:
    data = embeddings()
    finder = copy(FINDERS[number])
    start = time.perf_counter()
    finder.fill(data.vectors)
    build_s = time.perf_counter() - start
    recall = tuned(finder, data)
    check(finder, data, recall)
    lone = measure.lone({"lone": lambda query: finder.find(query, K)}, data.queries)
    labels: dict[str, Any] = {
        "row": "embeddings",
        "case": finder.kept,
        "peer": finder.name,
        "settings": finder.settings,
    }
    labels |= {"recall": round(recall, 4), "k": K, "threads": 1, "build_s": build_s, "lone_us": lone["lone"] * 1e6}
    labels |= {"n_codes": len(data.vectors), "n_queries": len(data.queries), "bytes": finder.n_bytes}
    measure.timed(benchmark, lambda: finder.find(data.queries, K), labels)


def tuned(finder: Finder, data: Embeddings) -> float:
    """The recall; where it can be raised, by the least effort that finds as much as is wanted."""
    recall = 0.0
    for effort in finder.efforts:
        finder.exert(effort)
        recall = recall_of(data, finder.find(data.queries, K))
        if recall >= finder.wanted:
            break
    return recall


@lru_cache(1)
def last_scores() -> NDArray[np.float64]:
    """The score of each query's k-th nearest, by all products in float64."""
    vectors, queries = embeddings()
    every = vectors.astype(np.float64).T
    parts = np.array_split(queries.astype(np.float64), 20)
    return np.concatenate([np.partition(part @ every, -K, axis=1)[:, -K] for part in parts])


def recall_of(data: Embeddings, ids: Ids) -> float:
    """The share of the k whose score is that of the true k-th or better; ids given twice count once."""
    scores = np.einsum("qd,qkd->qk", data.queries.astype(np.float64), data.vectors[ids].astype(np.float64))
    good = np.sort(np.where(scores >= last_scores()[:, None] - ALIKE, ids, -1), axis=1)
    return float(((good >= 0) & (np.diff(good, axis=1, prepend=-2) != 0)).mean())


def check(finder: Finder, data: Embeddings, recall: float) -> None:
    """An exact search finds what a slow one finds: of the floats, of the codes, or of those that codes left."""
    if finder.name in ("NumPy", "faiss Flat"):
        assert recall == 1
    if not isinstance(finder, FaissBits | HashIndexBits):
        return
    values = finder.coder.project(data.queries)
    codes = Data(finder.kept, coded(finder.kept)[1], hx.pack(values))
    ids = finder.find(data.queries, K)
    if isinstance(finder, FaissBits) or not finder.rescored:
        found = Near(distances_of(codes.codes[ids], codes.queries[:, None]), ids)
        assert same_near(codes, found, true_near(codes, K)), f"{finder.name} is not exact"
        return
    for row, query in enumerate(codes.queries[:CHECKED]):
        near = np.argsort(distances_of(codes.codes, query), kind="stable")[: K * finder.oversample]
        by_bits = finder.vectors is None
        others = 2.0 * np.unpackbits(codes.codes[near], axis=1) - 1 if by_bits else data.vectors[near]
        scores = others.astype(np.float64) @ (values if by_bits else data.queries)[row]
        best = np.sort(scores)[::-1][:K]
        here = [scores[np.flatnonzero(near == one)[0]] for one in ids[row]]
        np.testing.assert_allclose(here, best, atol=1e-3 if finder.rescored == "float16" else 1e-5)


def distances_of(codes: NDArray[np.uint8], queries: NDArray[np.uint8]) -> NDArray[np.int32]:
    found: NDArray[np.int32] = np.bitwise_count(codes ^ queries).sum(axis=-1, dtype=np.int32)
    return found
