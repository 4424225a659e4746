"""How long tables take to build, and what an index weighs, everything included."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from peers import FaissMultiHash, HashIndex, Peer
from sets import uniform

SIZES = {"1e6": 1_000_000, "1e7": 10_000_000}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["hashindex", "faiss MultiHash"])
def test_build(benchmark: Any, size: str, name: str) -> None:
    """Codes to the first answer by tables for radius 2."""
    data = uniform(64, SIZES[size], 1000).first(1)

    def build() -> Peer:
        peer: Peer = HashIndex(method="multi-index") if name == "hashindex" else FaissMultiHash(3, 21, 2)
        peer.build(data.codes).radius(data.queries, 2)
        return peer

    peer = build() if size == "1e6" else None  # a first build pays for what later ones find loaded
    labels = {"row": "build", "case": f"uniform, 64 bits, {size}", "peer": name, "n_codes": SIZES[size]}
    benchmark.extra_info.update(labels, settings=peer.settings if peer else "")
    rounds = 1 if (name, size) == ("faiss MultiHash", "1e7") else 3
    benchmark.pedantic(build, rounds=rounds)


def probe(benchmark: Any, name: str, n_codes: int, script: str, *arguments: str, **labels: Any) -> None:
    """Build and search in a fresh process, by a script that prints JSON."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
    answers = []
    benchmark.pedantic(
        lambda: answers.append(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)),
        rounds=1,
    )
    benchmark.extra_info.update(answers[-1], peer=name, n_codes=n_codes, **labels)


@pytest.mark.parametrize("name", ["hashindex", "faiss MultiHash"])
def test_memory(benchmark: Any, name: str) -> None:
    n_codes = SIZES["1e7"]
    arguments = ("memory_probe.py", name, str(n_codes), "2")
    probe(benchmark, name, n_codes, *arguments, row="memory", case="uniform, 64 bits, 1e7")


@pytest.mark.parametrize(
    "name",
    ["hashindex", "faiss Flat", "faiss MultiHash", "faiss HNSW", "usearch HNSW", "pynear MIH", "pynear IVF"],
)
def test_memory_of_others(benchmark: Any, name: str) -> None:
    """Few enough for graphs."""
    arguments = ("memory_probe.py", name, "300000", "2")
    probe(benchmark, name, 300_000, *arguments, row="memory", case="uniform, 64 bits, 3e5")


@pytest.mark.large
def test_hundred_million(benchmark: Any) -> None:
    arguments = ("memory_probe.py", "hashindex", "100000000", "2")
    probe(benchmark, "hashindex", 100_000_000, *arguments, row="large", case="uniform, 64 bits, 1e8, radius 2")


@pytest.mark.large
def test_billion(benchmark: Any, tmp_path: Path) -> None:
    """35 GB of the disk, 22 GB of memory; some answers are compared with faiss's."""
    arguments = ("store_probe.py", str(tmp_path), "1000000000")
    labels = {"row": "large", "case": "uniform, 64 bits, 1e9, radius 2"}
    probe(benchmark, "hashindex store", 1_000_000_000, *arguments, **labels)
