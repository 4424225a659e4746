"""Exact k nearest on real, skewed codes, beside approximate indexes at a recall of 0.98 and more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import measure
import pytest
from approximate_peers import FaissHNSW, FaissIVF, HashIndexRecall, PynearMIH, UsearchHNSW
from datasets import patches
from peers import FaissFlat, HashIndex, Peer

K = 10
PEERS: dict[str, Callable[[], Peer]] = {
    "hashindex": HashIndex,
    "hashindex-scan": lambda: HashIndex(method="scan"),
    "hashindex-recall": HashIndexRecall,
    "faiss-flat": FaissFlat,
    "faiss-ivf": FaissIVF,
    "faiss-hnsw": lambda: FaissHNSW("patches"),
    "usearch-hnsw": lambda: UsearchHNSW("patches"),
    "pynear-mih": PynearMIH,
}


@pytest.mark.parametrize("n_bits", [64, 128, 256])
@pytest.mark.parametrize("name", PEERS)
def test_nearest(benchmark: Any, n_bits: int, name: str) -> None:
    data = patches(n_bits)
    if name == "pynear-mih":
        data = data.first(50)
    measure.nearest(benchmark, PEERS[name]().build(data.codes), data, K, row="nearest", case=f"patches, {n_bits} bits")
