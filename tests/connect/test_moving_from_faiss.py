"""The rows of the table of docs/connect/faiss.md that are no calls of an index, each beside faiss."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex, hamming
from hashindex.connect.faiss import FaissBinaryIndex
from reference import codes_of

faiss = pytest.importorskip("faiss")

N_BITS = 64
CODES, QUERIES = codes_of(0, 200, N_BITS), codes_of(1, 5, N_BITS)
IDS = np.arange(200) * 3 + 7


def mapped() -> tuple[Any, HashIndex]:
    theirs = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(N_BITS))
    theirs.add_with_ids(CODES, IDS)
    ours = HashIndex(N_BITS)
    ours.add(CODES, ids=IDS)
    return theirs, ours


@pytest.mark.parametrize("text", ["BFlat", "BIVF16", "BHNSW16", "BHash16", "BHash4x12", "IDMap2,BFlat"])
def test_what_the_factory_makes_is_a_binary_index(text: str) -> None:
    assert isinstance(faiss.index_binary_factory(N_BITS, text), faiss.IndexBinary)


def test_all_codes_and_ids() -> None:
    theirs, ours = mapped()
    kept = faiss.downcast_IndexBinary(theirs.index).xb
    assert np.array_equal(faiss.vector_to_array(kept).reshape(-1, 8), ours.get(ours.ids()))
    assert np.array_equal(faiss.vector_to_array(theirs.id_map), ours.ids())
    flat = FaissBinaryIndex(N_BITS)
    flat.add(CODES)
    assert np.array_equal(flat.reconstruct_n(0, flat.ntotal), CODES)


def test_bytes_and_copies() -> None:
    theirs, ours = mapped()
    wanted = faiss.deserialize_index_binary(faiss.serialize_index_binary(theirs)).search(QUERIES, 200)[0]
    assert np.array_equal(faiss.clone_binary_index(theirs.index).search(QUERIES, 200)[0], wanted)
    adapted = FaissBinaryIndex(ours)
    for index in (HashIndex.from_bytes(ours.to_bytes()), copy.deepcopy(ours)):
        assert np.array_equal(index.search(QUERIES, k=200).distances, wanted)
    for again in (pickle.loads(pickle.dumps(adapted)), copy.deepcopy(adapted)):
        assert np.array_equal(again.search(QUERIES, 200)[0], wanted)


def test_one_index_into_another() -> None:
    parts = []
    for some in (CODES[:120], CODES[120:]):
        part = faiss.IndexBinaryIVF(faiss.IndexBinaryFlat(N_BITS), N_BITS, 1)
        part.train(CODES)
        part.add(some)
        parts.append(part)
    parts[0].merge_from(parts[1], 120)
    ours, other = HashIndex(N_BITS), HashIndex(N_BITS)
    ours.add(CODES[:120])
    other.add(CODES[120:])
    ours.add(other.get(other.ids()))
    assert np.array_equal(ours.search(QUERIES, k=200).distances, parts[0].search(QUERIES, 200)[0])


def test_without_an_index() -> None:
    index = HashIndex(N_BITS)
    index.add(CODES)
    assert np.array_equal(index.search(QUERIES, k=7).distances, faiss.knn_hamming(QUERIES, CODES, 7)[0])
    every = np.zeros((len(QUERIES), len(CODES)), np.int32)
    queries, codes, out = (faiss.swig_ptr(one) for one in (QUERIES, CODES, every))
    faiss.hammings(queries, codes, len(QUERIES), len(CODES), N_BITS // 8, out)
    assert np.array_equal(hamming(QUERIES[:, None], CODES), every)


def test_what_the_table_names_is_there() -> None:
    """Every call of its first column that is a name of faiss's or of an index of it."""
    page = (Path(__file__).parent.parent.parent / "docs" / "connect" / "faiss.md").read_text()
    table = page.split("## Call by call")[1].split("\n## ")[0]
    first = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"(?:index\.)?\b[A-Za-z_]\w+(?=\()", cell)}
    assert len(named) > 20
    for name in named:
        owner = faiss.IndexBinaryIDMap2 if name.startswith("index.") else faiss
        assert hasattr(owner, name.removeprefix("index.")), name
