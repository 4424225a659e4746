"""No file crashes: what is damaged or forged is refused, and what is mapped all the same stays within its arrays."""

from __future__ import annotations

import json
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference
from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.store import format as layout
from hashindex.store import segment_file
from hashindex.store.container import read_container, to_bytes, write_container
from saved import some_index


def small(meta: dict[str, Any] | None = None) -> bytes:
    index = HashIndex(12, meta=meta)
    index.add(np.arange(20, dtype=np.uint8)[:, None] * np.array([[1, 16]], np.uint8), ids=np.arange(20) * 2)
    return index.to_bytes()


def forged(data: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """The file with another table, its checksums and sizes made to fit."""
    at = struct.unpack_from("<Q", data, 24)[0]
    table = json.loads(data[at:])
    changed = change(table)
    text = (changed if isinstance(changed, str) else json.dumps(table)).encode()
    return sealed(data[:at] + text, at)


def sealed(data: bytes, at: int | None = None) -> bytes:
    """The file with the checksums of header and table made to fit."""
    at = struct.unpack_from("<Q", data, 24)[0] if at is None else at
    crc = zlib.crc32(data[at:]) if 0 <= at <= len(data) else 0
    head = data[:16] + struct.pack("<QQI", len(data), at, crc) + data[36:60]
    return head + struct.pack("<I", zlib.crc32(head)) + data[64:]


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data, path = small(), tmp_path / "a.hxi"
    for size in range(len(data)):
        with pytest.raises(ValueError, match="the data is"):
            HashIndex.from_bytes(data[:size])
    for size in range(0, len(data), 31):
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match=r"a\.hxi is"):
            HashIndex.load(path, mmap=True)
    path.write_bytes(data + b"\0")
    with pytest.raises(ValueError, match="cut short or added to"):
        HashIndex.load(path, mmap=True)


def test_every_flipped_bit_is_seen() -> None:
    data = bytearray(small())
    for at in range(len(data)):
        for bit in (0, 7):
            data[at] ^= 1 << bit
            with pytest.raises(ValueError, match="the data is"):
                HashIndex.from_bytes(data)
            data[at] ^= 1 << bit
    assert len(HashIndex.from_bytes(data)) == 20


def _set(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda table: table["sections"][0].update(values)


FORGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "huge": _set(shape=[2**40, 2], size=2**41),
    "beyond the end": _set(shape=[5000, 2], size=10_000),
    "not the size": _set(shape=[2**62, 2**62]),
    "negative": _set(shape=[-20, -2]),
    "a negative offset": _set(offset=-64),
    "a negative size": _set(size=-40),
    "overlapping": lambda table: table["sections"][1].update(offset=64),
    "not aligned": _set(offset=65),
    "a float": _set(size=40.0),
    "true": _set(shape=[True, 40]),
    "objects": _set(dtype="|O", shape=[5]),
    "big-endian": _set(dtype=">u1"),
    "records": _set(dtype=[["a", "<u4"]]),
    "no axes": _set(shape=[], size=1),
    "many axes": _set(shape=[1] * 40 + [40]),
    "one name twice": lambda table: table["sections"][1].update(name=table["sections"][0]["name"]),
    "no name": lambda table: table["sections"][0].pop("name"),
    "no checksums": lambda table: table["sections"].pop(),
    "no sections": lambda table: table.update(sections={}),
    "no head": lambda table: table.update(head=[]),
    "another width": lambda table: table["head"].update(n_bits=20),
    "no width": lambda table: table["head"].update(n_bits=None),
    "a huge width": lambda table: table["head"].update(n_bits=10**30),
    "an id used again": lambda table: table["head"].update(next_id=38),
    "no meta": lambda table: table["head"].update(meta=3),
    "segments that are not there": lambda table: table["head"].update(segments=[{"n_rows": 3}]),
    "more ids": lambda table: table["sections"][1].update(shape=[4, 5]),
    "a bomb of lists": lambda _: "[" * 100_000,
    "a bomb of objects": lambda _: '{"a":' * 100_000,
    "a bomb of digits": lambda _: '{"head": {}, "sections": [' + "9" * 1_000_000 + "]}",
    "no JSON": lambda _: "NaN",
    "not ASCII": lambda _: "\u00ff",
    "more than a table": lambda table: table["head"].update(more="a" * 2**21),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_tables_are_refused(name: str, tmp_path: Path) -> None:
    data, path = forged(small(), FORGED[name]), tmp_path / "a.hxi"
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(ValueError, match="the data is"):
        HashIndex.from_bytes(data)
    with pytest.raises(ValueError, match=r"a\.hxi is"):
        HashIndex.load(path, mmap=True)
    assert tracemalloc.get_traced_memory()[1] < 4 * len(data) + 2**20
    tracemalloc.stop()


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    index, path = some_index(np.random.default_rng(0), 64), tmp_path / "a.hxs"
    segment_file.write_segment(path, index._snapshot.segments[0], {"through": 3})
    twin, head = segment_file.read_segment(path, mmap=True)
    assert (head["through"], twin.n_removed, set(twin.learned.states)) == (3, 99, {"multi-index", "clusters", "folds"})
    with pytest.raises(ValueError, match=r"a\.hxs is a segment of a store"):
        HashIndex.load(path)
    newer = bytearray(small())
    newer[8:12] = struct.pack("<I", 7)
    with pytest.raises(ValueError, match="format version 7, and this hashindex reads up to 1"):
        HashIndex.from_bytes(newer)
    with pytest.raises(ValueError, match="no file of hashindex: it begins with b'PK"):
        HashIndex.from_bytes(b"PK\x03\x04 and more")
    with pytest.raises(TypeError, match=r"load\(\) reads a file"):
        HashIndex.from_bytes("a.hxi")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        HashIndex.load(tmp_path / "none.hxi")
    with pytest.raises(IsADirectoryError):
        HashIndex.load(tmp_path)


def test_what_is_not_known_is_skipped_and_what_is_missing_built() -> None:
    index = some_index(np.random.default_rng(0), 64)
    saved = read_container(index.to_bytes(), layout.INDEX)
    arrays = {name: array for name, array in saved.arrays.items() if "structure" not in name}
    arrays |= {"segments/0/structure/trees/leaves": np.arange(9), "more": np.ones(3)}
    twin = HashIndex.from_bytes(to_bytes(layout.INDEX, {**saved.head, "more": [1]}, arrays))
    assert all(not one.learned.states for one in twin._snapshot.segments)
    queries = reference.codes_of(4, 5)
    for one, other in zip(index.search(queries, 9), twin.search(queries, 9, method="multi-index"), strict=True):
        np.testing.assert_array_equal(one, other)


DAMAGE = np.array([0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, -1, -(2**63)])
FIELDS = ("offsets", "multi-index/rows", "copies", "starts", "postings/rows", "0/ids")


@pytest.mark.parametrize("field", FIELDS)
def test_a_map_of_anything_stays_within_its_arrays(field: str, engine: Engine, tmp_path: Path) -> None:
    """Tables and postings of random numbers, small and huge: answers or a ValueError, never a crash."""
    saved, path = read_container(some_index(np.random.default_rng(0), 64).to_bytes(), layout.INDEX), tmp_path / "a.hxi"
    queries = reference.codes_of(4, 3)
    for seed in range(4):
        arrays = dict(saved.arrays)
        for name in (one for one in arrays if one.endswith(field)):
            right = arrays[name].reshape(-1)
            damaged = np.random.default_rng(seed).choice(DAMAGE, right.size).astype(right.dtype)
            damaged[:: seed + 2], damaged[-1] = right[:: seed + 2], right[-1]  # enough to be loaded
            arrays[name] = damaged.reshape(arrays[name].shape)
        write_container(path, layout.INDEX, saved.head, arrays)
        index = HashIndex.load(path, mmap=True, engine=engine)
        for method in ("scan", "multi-index"):
            for k, radius in ((50, 64), (None, 30)):
                how: dict[str, Any] = {"k": k, "radius": radius, "method": method}
                try:
                    index.search(queries, **how)
                except ValueError as error:
                    assert "damaged" in str(error)  # noqa: PT017
        if field in ("starts", "postings/rows", "0/ids"):
            with pytest.raises(ValueError, match=r"a\.hxi is damaged"):
                HashIndex.load(path)


def test_a_map_that_names_rows_again_and_again(engine: Engine, tmp_path: Path) -> None:
    """No more matches than codes, whatever buckets a forged directory makes."""
    codes = np.packbits(np.random.default_rng(0).random((20_000, 64)) < 0.05, axis=1)
    index, path = HashIndex(64), tmp_path / "a.hxi"
    index.add(codes)
    index.search(codes[:50], radius=3, method="multi-index")
    saved = read_container(index.to_bytes(), layout.INDEX)
    arrays = dict(saved.arrays)
    name = next(one for one in arrays if one.endswith("multi-index/offsets"))
    forged_offsets = arrays[name].copy()
    forged_offsets[:-1:2], forged_offsets[1:-1:2] = 0, len(codes)
    write_container(path, layout.INDEX, saved.head, {**arrays, name: forged_offsets})
    mapped = HashIndex.load(path, mmap=True, engine=engine)
    for asked in (codes[0], codes[:4]):
        try:
            found = mapped.search(asked, radius=8, method="multi-index")
        except ValueError as error:
            assert "damaged" in str(error)  # noqa: PT017
        else:
            assert len(found.ids) <= len(codes) * len(np.atleast_2d(asked))
