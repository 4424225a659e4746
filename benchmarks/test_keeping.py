"""Files and stores: how long until the first answer, what a code takes on the disk, removals, durable batches."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import faiss
import measure
import numpy as np
import pynear
import pytest
from sets import Codes, uniform
from usearch.index import Index

import hashindex as hx

N_KEPT = 300_000
N_BATCHES, BATCH = 200, 1000
SOME, FEW = 5000, 20  # removals; of a peer that copies all codes at each
TABLE = "CREATE TABLE codes (id INTEGER PRIMARY KEY, code BLOB)"
NEAREST = "SELECT id FROM codes ORDER BY bits(code, ?), id LIMIT 1"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Codes of 64 bits, kept by everybody; ours with the tables that were built."""
    folder, codes = tmp_path_factory.mktemp("kept"), uniform(64, N_KEPT).codes
    index = hx.HashIndex(64)
    index.add(codes)
    index.prepare(radius=2)
    index.save(folder / "codes.hxi")
    with hx.HashIndex.open(folder / "store", 64) as store:
        store.add(codes)
        store.prepare(radius=2)
        store.compact()
    flat = faiss.IndexBinaryFlat(64)
    flat.add(codes)
    faiss.write_index_binary(flat, str(folder / "codes.faiss"))
    hashes = faiss.IndexBinaryMultiHash(64, 3, 18)
    hashes.add(codes)
    faiss.write_index_binary(hashes, str(folder / "hashes.faiss"))
    tree = pynear.VPTreeBinaryIndex64()
    tree.set(codes)
    (folder / "codes.pickle").write_bytes(pickle.dumps(tree))
    exact = Index(ndim=64, metric="hamming", dtype="b1")
    exact.add(np.arange(len(codes)), codes, threads=2)
    exact.save(folder / "codes.usearch")
    with sqlite3.connect(folder / "codes.sqlite") as table:
        fill(table, codes)
    return {
        "hashindex load": folder / "codes.hxi",
        "hashindex store": folder / "store",
        "faiss Flat": folder / "codes.faiss",
        "faiss MultiHash": folder / "hashes.faiss",
        "usearch HNSW": folder / "codes.usearch",
        "pynear VPTree": folder / "codes.pickle",
        "SQLite": folder / "codes.sqlite",
    }


def fill(table: sqlite3.Connection, codes: Codes) -> None:
    table.execute(TABLE)
    table.executemany("INSERT INTO codes VALUES (?, ?)", ((i, code.tobytes()) for i, code in enumerate(codes)))


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else path.stat().st_size


def test_opening(benchmark: Any, files: dict[str, Path]) -> None:
    """From a file to the answer of a first query, which is a code that is there."""
    query = uniform(64, N_KEPT).codes[777]

    def table() -> int:
        opened = sqlite3.connect(files["SQLite"])
        opened.create_function(
            "bits", 2, lambda a, b: (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()
        )
        return int(opened.execute(NEAREST, (query.tobytes(),)).fetchone()[0])

    def store() -> int:
        with hx.HashIndex.open(files["hashindex store"], mode="r") as index:
            return int(index.search(query, k=1).ids[0])

    def viewed() -> int:
        index = Index(ndim=64, metric="hamming", dtype="b1")
        index.view(str(files["usearch HNSW"]))
        return int(index.search(query, 1).keys[0])

    def hashes() -> int:
        _, _, ids = faiss.read_index_binary(str(files["faiss MultiHash"])).range_search(query[None], 3)
        return int(ids[0])

    def tree() -> int:
        return int(pickle.loads(files["pynear VPTree"].read_bytes()).search1NN(query[None])[0][0])

    file = files["hashindex load"]
    works: dict[str, Callable[[], int]] = {
        "hashindex load, mmap": lambda: int(hx.HashIndex.load(file, mmap=True).search(query, k=1).ids[0]),
        "hashindex load": lambda: int(hx.HashIndex.load(file).search(query, k=1).ids[0]),
        "hashindex store": store,
        "faiss Flat": lambda: int(faiss.read_index_binary(str(files["faiss Flat"])).search(query[None], 1)[1][0, 0]),
        "faiss MultiHash": hashes,
        "usearch HNSW, view": viewed,
        "pynear VPTree": tree,
    }
    assert {name: work() for name, work in works.items()} == dict.fromkeys(works, 777)
    assert table() == 777
    times = measure.alternating(works, rounds=9) | measure.alternating({"SQLite": table}, rounds=1)
    us = {name: seconds * 1e6 for name, seconds in times.items()}
    benchmark.extra_info.update(row="opening", case="uniform, 64 bits, 300,000 codes", us=us)
    benchmark.pedantic(works["hashindex load, mmap"], rounds=1)


SIZED = (
    "hashindex load",
    "hashindex store",
    "faiss Flat",
    "faiss MultiHash",
    "usearch HNSW",
    "pynear VPTree",
    "SQLite",
)


@pytest.mark.parametrize("name", SIZED)
def test_size(benchmark: Any, files: dict[str, Path], name: str) -> None:
    peer = name.replace(" load", " file")
    info = {"row": "size", "case": "uniform, 64 bits, 300,000 codes, ours with tables", "peer": peer}
    benchmark.extra_info.update(info, bytes=size(files[name]), n_codes=N_KEPT)
    benchmark.pedantic(partial(size, files[name]), rounds=1)


def test_removing(benchmark: Any) -> None:
    """Codes removed one at a time from a million."""
    codes = uniform(64).codes
    gone = np.random.default_rng(0).permutation(len(codes))
    index = hx.HashIndex(64)
    index.add(codes)
    mapped = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(64))
    mapped.add_with_ids(codes, np.arange(len(codes)))
    table = sqlite3.connect(":memory:")
    fill(table, codes)

    def each(remove: Callable[[int], Any], n: int) -> float:
        some = gone[:n].tolist()
        return measure.seconds(lambda: [remove(one) for one in some]) / n * 1e6

    us = {
        "hashindex": each(index.remove, SOME),
        "faiss Flat, IDMap2": each(lambda one: mapped.remove_ids(faiss.IDSelectorBatch(np.array([one]))), FEW),
        "SQLite in memory": each(lambda one: table.execute("DELETE FROM codes WHERE id = ?", (one,)), SOME),
    }
    assert (len(index), mapped.ntotal) == (len(codes) - SOME, len(codes) - FEW)
    benchmark.extra_info.update(row="removing", case="uniform, 64 bits, 1e6 codes", us=us)
    benchmark.pedantic(partial(index.remove, int(gone[-1])), rounds=1)


@pytest.mark.parametrize("sync", ["always", "os"])
def test_durable_batches(benchmark: Any, tmp_path: Path, sync: Any) -> None:
    """Batches of a thousand codes, each on the disk when its call returns; SQLite without anything to search."""
    batches = uniform(64).codes[: N_BATCHES * BATCH].reshape(N_BATCHES, BATCH, 8)
    numbers = count()

    def store() -> None:
        with hx.HashIndex.open(tmp_path / f"store{next(numbers)}", 64, sync=sync) as index:
            for batch in batches:
                index.add(batch)
            assert len(index) == N_BATCHES * BATCH

    def table() -> None:
        with sqlite3.connect(tmp_path / f"{next(numbers)}.sqlite", isolation_level=None) as opened:
            opened.execute("PRAGMA journal_mode = WAL")
            opened.execute(f"PRAGMA synchronous = {'FULL' if sync == 'always' else 'NORMAL'}")
            opened.execute("CREATE TABLE batches (number INTEGER PRIMARY KEY, codes BLOB)")
            for batch in batches:
                opened.execute("INSERT INTO batches (codes) VALUES (?)", (batch.tobytes(),))

    times = measure.alternating({"hashindex store": store, "SQLite": table}, rounds=5)
    us = {name: seconds / N_BATCHES * 1e6 for name, seconds in times.items()}
    benchmark.extra_info.update(row="durable", case=f"1,000 codes of 64 bits, sync={sync!r}", us=us)
    benchmark.pedantic(store, rounds=1)
