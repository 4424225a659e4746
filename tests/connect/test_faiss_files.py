"""Files of faiss's binary indexes, read and written without it: byte for byte its own, and nothing else is taken."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.connect.faiss import FaissBinaryIndex, read, read_index_binary, write
from hashindex.connect.faiss_files import KINDS, read_contents
from hashindex.engines import Engine
from hashindex.index import METHODS
from reference import codes_of

faiss = pytest.importorskip("faiss")

MAPS = {"IBMp": faiss.IndexBinaryIDMap, "IBM2": faiss.IndexBinaryIDMap2}


def theirs(path: Path, codes: np.ndarray, ids: Any = None, kind: str = "IBM2") -> Path:
    """A file that faiss writes: flat without ids."""
    flat = faiss.IndexBinaryFlat(8 * codes.shape[1])
    if ids is None:
        flat.add(codes)
        faiss.write_index_binary(flat, str(path))
    else:
        mapped = MAPS[kind](flat)
        mapped.add_with_ids(codes, np.asarray(ids, np.int64))
        faiss.write_index_binary(mapped, str(path))
    return path


def gapped(n: int) -> np.ndarray:
    """Ids with gaps, ascending."""
    return np.cumsum(np.random.default_rng(n).integers(1, 4, n)) + 2


@pytest.mark.parametrize(("n", "n_bits"), [(0, 64), (1, 8), (3, 2048), (900, 64), (20_000, 72)])
def test_files_are_those_of_faiss_and_ids_come_back(n: int, n_bits: int, tmp_path: Path) -> None:
    codes, ids = codes_of(n, n, n_bits), gapped(n)
    for kind, given in (("IBxF", None), ("IBMp", ids), ("IBM2", ids), ("IBM2", np.arange(n))):
        expected, ours = theirs(tmp_path / "theirs", codes, given, kind), tmp_path / "ours"
        index = HashIndex(n_bits)
        index.add(codes[::2], ids=(np.arange(n) if given is None else given)[::2])
        index.add(codes[1::2], ids=(np.arange(n) if given is None else given)[1::2])
        write(index, ours, kind=kind)
        assert ours.read_bytes() == expected.read_bytes()
        for mmap in (False, True):
            twin = read(expected, mmap=mmap)
            assert (twin.n_bits, len(twin)) == (n_bits, n)
            np.testing.assert_array_equal(twin.ids(), index.ids())
            np.testing.assert_array_equal(twin.get(twin.ids()), codes)
            write(twin, ours, kind=kind)
            assert ours.read_bytes() == expected.read_bytes()
            adapter = read_index_binary(expected, mmap=mmap)
            assert adapter.is_flat == (kind == "IBxF")
            if kind != "IBMp":
                write(adapter, ours)
                assert ours.read_bytes() == expected.read_bytes()
        back = faiss.read_index_binary(str(ours))
        assert type(back) is {"IBxF": faiss.IndexBinaryFlat, **MAPS}[kind]
        np.testing.assert_array_equal(back.search(codes[:5], 3)[0], index.search(codes[:5], k=3).distances)


def test_what_is_written_by_default(tmp_path: Path) -> None:
    path = tmp_path / "a"
    index = HashIndex(63)
    index.add(codes_of(0, 30) & 0xFE)
    for change, kind in ((lambda: None, "IBxF"), (lambda: index.remove([3]), "IBM2"), (index.clear, "IBxF")):
        change()
        write(index, path)
        contents = read_contents(path)
        assert contents.kind == kind
        np.testing.assert_array_equal(contents.codes, index.get(index.ids()))
    flat = FaissBinaryIndex(64)
    flat.add(codes_of(0, 30))
    flat.remove_ids([3])
    write(flat, path)
    assert read_contents(path).kind == "IBxF"
    flat.add_with_ids(codes_of(1, 1), [29])
    write(flat, path)
    assert read_contents(path).kind == "IBM2"


def test_a_map_of_a_file_serves_every_engine_and_method(engine: Engine, tmp_path: Path) -> None:
    """Codes lie at odd places of the file; changes and writing onto it leave the file that is mapped alone."""
    codes, queries, ids = codes_of(0, 20_000, 72), codes_of(1, 6, 72), gapped(20_000)
    queries[:3] = codes[:3]
    codes[5_000:] = np.tile(codes[:5_000], (3, 1))  # in memory equal codes are stored once
    for given in (None, ids):
        path = theirs(tmp_path / "a", codes, given)
        before, index = path.read_bytes(), HashIndex(72)
        index.add(codes, ids=given)
        twin = read(path, mmap=True, engine=engine)
        assert [one.is_mapped for one in twin._snapshot.segments] == [True]
        for method in METHODS:
            for expected, found in (
                (index.search(queries, k=7), twin.search(queries, k=7, method=method)),
                (index.search(queries, radius=24), twin.search(queries, radius=24, method=method)),
            ):
                for one, other in zip(expected, found, strict=True):
                    np.testing.assert_array_equal(one, other)
        twin.remove(twin.ids()[:10])
        twin.add(queries)
        assert twin.ids()[-6:].tolist() == list(range(twin.ids()[-7] + 1, twin.ids()[-7] + 7))
        assert any(one.is_mapped for one in twin._snapshot.segments)
        assert path.read_bytes() == before
        write(twin, path)
        np.testing.assert_array_equal(read(path).ids(), twin.ids())
        np.testing.assert_array_equal(read(path).get(twin.ids()), twin.get(twin.ids()))
        np.testing.assert_array_equal(twin.search(queries, k=1).distances, 0)


def test_ids_in_any_order_are_sorted_and_wrong_ones_told(tmp_path: Path) -> None:
    codes, ids = codes_of(0, 500), np.random.default_rng(0).permutation(10_000)[:500]
    path = theirs(tmp_path / "a", codes, ids)
    for mmap in (False, True):
        np.testing.assert_array_equal(read(path, mmap=mmap).get(ids), codes)
    for wrong, message in (
        (-3, "ids go from -3 to 9"),
        (7, "id 7 is there twice"),
        (2**63 - 1, "to 92233720368547758"),
    ):
        theirs(path, codes[:3], [wrong, 9, 7])
        with pytest.raises(ValueError, match=message) as refused:
            read(path)
        assert str(path) in str(refused.value)
        assert "read_contents(path) has codes and ids" in str(refused.value)
        kind, given, numbers = read_contents(path)
        assert kind == "IBM2"
        assert numbers is not None
        assert numbers.tolist() == [wrong, 9, 7]
        np.testing.assert_array_equal(given, codes[:3])


def test_other_kinds_are_refused_by_name_and_the_advice_leads_home(tmp_path: Path) -> None:
    codes, path = codes_of(0, 300), str(tmp_path / "a")
    others = {
        "IBwF": faiss.index_binary_factory(64, "BIVF2"),
        "IBHf": faiss.IndexBinaryHNSW(64, 4),
        "IBHc": faiss.IndexBinaryHNSWCagra(64, 4),
        "IBHm": faiss.IndexBinaryMultiHash(64, 4, 8),
        "IBHh": faiss.IndexBinaryHash(64, 8),
        "IBFf": faiss.IndexBinaryFromFloat(faiss.IndexFlatL2(64)),
    }
    for kind, index in others.items():
        index.train(codes)
        index.base_level_only = False  # of IBHc, which a CPU may fill then
        index.add(codes)
        faiss.write_index_binary(index, path)
        with pytest.raises(ValueError, match=f"{kind} is an {type(index).__name__}[,;]") as refused:
            read(path)
        advice = str(refused.value)
        if "write_index_binary(index.storage, path)" in advice:
            faiss.write_index_binary(index.storage, path)
        elif "make_direct_map" in advice:
            index.make_direct_map()
            flat = faiss.IndexBinaryFlat(64)
            flat.add(index.reconstruct_n(0, index.ntotal))
            faiss.write_index_binary(flat, path)
        else:
            assert kind in ("IBHh", "IBFf")
            continue
        np.testing.assert_array_equal(read(path).get(np.arange(300)), codes)

    inner = faiss.IndexBinaryMultiHash(64, 4, 8)
    faiss.write_index_binary(faiss.IndexBinaryIDMap2(inner), path)
    with pytest.raises(ValueError, match="IBHm is an IndexBinaryMultiHash"):
        read(path)
    flat = faiss.IndexBinaryFlat(64)
    once = faiss.IndexBinaryIDMap(flat)
    faiss.write_index_binary(faiss.IndexBinaryIDMap2(once), path)
    with pytest.raises(ValueError, match=r"an id map \(IBM2\) around an index that is no IndexBinaryFlat: IBMp"):
        read(path)
    faiss.write_index(faiss.IndexFlatL2(64), path)
    with pytest.raises(ValueError, match="'IxF2' is another index of faiss; expected a binary one"):
        read(path)
    HashIndex(64).save(path)
    with pytest.raises(ValueError, match="begins with "):
        read(path)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_refused(kind: str, tmp_path: Path) -> None:
    """Cut at any place, longer, and any bit of what is not codes or ids turned over."""
    n, path = 5, tmp_path / "a"
    whole = theirs(path, codes_of(0, n), None if kind == "IBxF" else np.arange(n) + 3, kind).read_bytes()
    head = 33 if kind == "IBxF" else 58
    after = head + 8 * n
    bits = [(at, bit) for at in (*range(head), *range(after, min(after + 8, len(whole)))) for bit in range(8)]
    assert len(whole) == after + (0 if kind == "IBxF" else 8 + 8 * n)
    damaged = [whole[:end] for end in range(len(whole))] + [whole + b"\0"]
    for at, bit in bits:
        turned = bytearray(whole)
        turned[at] ^= 1 << bit
        damaged.append(bytes(turned))
    for data in damaged:
        path.write_bytes(data)
        for mmap in (False, True):
            with pytest.raises(ValueError, match=f"^{path}: "):
                read(path, mmap=mmap)


def test_nothing_large_is_allocated_for_what_a_file_only_says(tmp_path: Path) -> None:
    path = tmp_path / "a"
    whole = theirs(path, codes_of(0, 5), [1, 2, 3, 4, 5]).read_bytes()
    tracemalloc.start()
    for n in (2**40, 2**60, 2**63 - 1, -1, -(2**63)):
        number, n_bytes = n.to_bytes(8, "little", signed=True), (8 * n % 2**64).to_bytes(8, "little")
        path.write_bytes(whole[:12] + number + whole[20:37] + number + whole[45:50] + n_bytes + whole[58:])
        for mmap in (False, True):
            with pytest.raises(ValueError, match="cut short|damaged"):
                read(path, mmap=mmap)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**18
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")
    with pytest.raises(TypeError, match="path must be a str or a Path"):
        read(whole)  # type: ignore[arg-type]


def test_wrong_writes_leave_the_old_file(tmp_path: Path) -> None:
    path, index = tmp_path / "a", HashIndex(64)
    index.add(codes_of(0, 3), ids=[0, 1, 5])
    path.write_bytes(b"old")
    wrong: tuple[tuple[Any, Any, type[Exception], str], ...] = (
        (index, "IBxF", ValueError, 'numbers its 3 codes from 0 on, here ids go from 0 to 5: kind="IBM2" keeps them'),
        (index, "IBwF", ValueError, "kind 'IBwF' is unknown; expected one of: IBxF, IBMp, IBM2"),
        (HashIndex(), None, ValueError, "the index has no width yet"),
        (codes_of(0, 3), None, TypeError, "must be a HashIndex or a FaissBinaryIndex, got ndarray"),
    )
    for what, kind, error, message in wrong:
        with pytest.raises(error, match=message):
            write(what, path, kind=kind)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"old"]


def test_nothing_needs_faiss(tmp_path: Path) -> None:
    path = theirs(tmp_path / "a", codes_of(0, 40), np.arange(1, 80, 2))
    code = (
        "import sys; sys.modules['faiss'] = None; from hashindex.connect.faiss import FaissBinaryIndex, read, write;"
        "index = FaissBinaryIndex(read(sys.argv[1], mmap=True)); index.search(index.reconstruct(3)[None], 1)"
        "; write(index, sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", code, str(path), str(tmp_path / "b")], check=True)
    assert (tmp_path / "b").read_bytes() == path.read_bytes()
