"""Build a store of codes in a file too large for memory of its own, search it, and print what that takes, as JSON.

python benchmarks/store_probe.py FOLDER 1000000000

Each step is a fresh process, whose peak of memory counts pages of files that it has mapped. Takes 35 bytes per code of
the disk. Some answers are compared with those of faiss, which reads the file block by block.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from sets import Codes, flip

import hashindex as hx

BLOCK = 20_000_000  # codes added, or compared, at a time
RADIUS, K = 2, 10
QUERIES, NEAREST, COMPARED = 100_000, 64, 8  # within the radius, nearest, and compared with faiss


def make(folder: Path, n_codes: int) -> dict[str, Any]:
    """Uniform codes of 64 bits, and queries with 0 to 2 flips."""
    rng = np.random.default_rng(n_codes)
    codes = np.lib.format.open_memmap(folder / "codes.npy", "w+", np.uint8, (n_codes, 8))
    picked = []
    for begin in range(0, n_codes, BLOCK):
        block = codes[begin : begin + BLOCK]
        block[:] = np.frombuffer(rng.bytes(block.nbytes), np.uint8).reshape(block.shape)
        picked.append(block[rng.integers(len(block), size=-(-QUERIES * BLOCK // n_codes))])
    queries = rng.permutation(np.concatenate(picked))[:QUERIES]
    np.save(folder / "queries.npy", flip(rng, queries, np.arange(len(queries)) % 3))
    return {}


def build(folder: Path, n_codes: int) -> dict[str, Any]:
    """A store of the codes, with tables."""
    codes = np.load(folder / "codes.npy", mmap_mode="r")
    with hx.HashIndex.open(folder / "store", n_bits=64) as index:
        for begin in range(0, n_codes, BLOCK):
            index.add(codes[begin : begin + BLOCK])
        del codes
        index.compact()
        index.prepare(radius=RADIUS)
        index.compact()
    return {"bytes": sum(path.stat().st_size for path in (folder / "store").rglob("*") if path.is_file())}


def search(folder: Path, n_codes: int) -> dict[str, Any]:  # noqa: ARG001
    """What a reader takes, on one thread: the first batch reads from the disk."""
    queries: Codes = np.load(folder / "queries.npy")
    start = time.perf_counter()
    with hx.HashIndex.open(folder / "store", mode="r") as index:
        index.search(queries[0], radius=RADIUS)
        opened = time.perf_counter() - start
        times = []
        for _ in range(4):
            start = time.perf_counter()
            found = index.search(queries, radius=RADIUS, n_threads=1)
            times.append(time.perf_counter() - start)
        assert (np.diff(found.offsets) >= 1).all()
        start = time.perf_counter()
        near = index.search(queries[:NEAREST], k=K, n_threads=1)
        nearest = (time.perf_counter() - start) / NEAREST
    end = int(found.offsets[COMPARED])
    np.savez(
        folder / "answers.npz",
        offsets=found.offsets[: COMPARED + 1],
        distances=found.distances[:end],
        ids=found.ids[:end],
        near=near.distances[:COMPARED],
    )
    return {
        "open_s": opened,
        "first_batch_s": times[0],
        "batch_s": sorted(times[1:])[1],
        "n_queries": QUERIES,
        "nearest_s": nearest,
    }


def compare(folder: Path, n_codes: int) -> dict[str, Any]:
    """AssertionError unless faiss finds the same."""
    import faiss

    codes, answers = np.load(folder / "codes.npy", mmap_mode="r"), np.load(folder / "answers.npz")
    queries = np.load(folder / "queries.npy")[:COMPARED]
    hits: list[list[tuple[int, int]]] = [[] for _ in queries]
    near = np.empty((COMPARED, 0), np.int32)
    for begin in range(0, n_codes, BLOCK):
        flat = faiss.IndexBinaryFlat(64)
        flat.add(np.ascontiguousarray(codes[begin : begin + BLOCK]))
        ends, distances, ids = flat.range_search(queries, RADIUS + 1)
        for q in range(COMPARED):
            own = slice(int(ends[q]), int(ends[q + 1]))
            hits[q] += zip(distances[own].astype(int).tolist(), (ids[own] + begin).tolist(), strict=True)
        near = np.sort(np.concatenate([near, flat.search(queries, K)[0]], axis=1), axis=1)[:, :K]
    ends = answers["offsets"]
    for q in range(COMPARED):
        own = slice(int(ends[q]), int(ends[q + 1]))
        found = list(zip(answers["distances"][own].tolist(), answers["ids"][own].tolist(), strict=True))
        assert found == sorted(hits[q]), (q, found, hits[q])
    assert np.array_equal(answers["near"], near)
    return {}


STEPS = {"make": make, "build": build, "search": search, "compare": compare}


def main(folder: Path, n_codes: int) -> None:
    """All steps, one after the other."""
    answer: dict[str, Any] = {}
    for name in STEPS:
        start = time.perf_counter()
        command = [sys.executable, __file__, str(folder), str(n_codes), name]
        told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
        peak = told.pop("peak_bytes")
        answer.update(told)
        if name in ("build", "search"):
            answer[f"{name}_s"] = time.perf_counter() - start
            answer["peak_bytes"] = max(peak, answer.get("peak_bytes", 0))
    print(json.dumps(answer))


def step(folder: Path, n_codes: int, name: str) -> None:
    """One of them, in this process."""
    told = STEPS[name](folder, n_codes)
    told["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(told))


if __name__ == "__main__":
    place, size = Path(sys.argv[1]), int(float(sys.argv[2]))
    if len(sys.argv) > 3:
        step(place, size, sys.argv[3])
    else:
        main(place, size)
