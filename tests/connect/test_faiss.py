"""The calls of faiss's binary indexes, each beside the real ones: an IndexBinaryFlat and an IndexBinaryIDMap2."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.connect.faiss import FaissBinaryIndex
from hashindex.engines import Engine
from reference import codes_of, hamming_matrix, random_codes

faiss = pytest.importorskip("faiss")

MISSING = (2147483647, -1)


def some_codes(seed: int, n: int, n_bits: int = 32) -> np.ndarray:
    """Codes with many ties, some of them equal."""
    rng = np.random.default_rng(seed)
    codes = random_codes(rng, n, n_bits, "skewed")
    codes[n // 2 :: 7] = codes[:1]
    return codes


def pairs(*columns: np.ndarray) -> list[tuple[Any, ...]]:
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def same_nearest(ours: Any, theirs: Any, queries: np.ndarray, k: int) -> None:
    """Equal but for the order of ties, and for which of them k cuts off."""
    found, expected = ours.search(queries, k), theirs.search(queries, k)
    for one, other in zip(found, expected, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
    (distances, ids), (their_distances, their_ids) = found, expected
    np.testing.assert_array_equal(distances, their_distances)
    assert (ids[distances == MISSING[0]] == MISSING[1]).all()
    for query, row, its_ids, other_ids in zip(queries, distances, ids, their_ids, strict=True):
        cut = (row == row[-1]) & (row < MISSING[0]) & (k < ours.ntotal)
        assert pairs(row[~cut], its_ids[~cut]) == pairs(row[~cut], other_ids[~cut])
        last = set(its_ids[cut].tolist())
        assert len(last) == cut.sum()
        for one in last:
            assert hamming_matrix(query[None], theirs.reconstruct(one)[None])[0, 0] == row[-1]


def same_within(ours: Any, theirs: Any, queries: np.ndarray, radius: int, **options: Any) -> None:
    found, expected = ours.range_search(queries, radius, **options), theirs.range_search(queries, radius, **options)
    for one, other in zip(found, expected, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
    np.testing.assert_array_equal(found[0], expected[0])
    for begin, end in zip(found[0][:-1].tolist(), found[0][1:].tolist(), strict=True):
        row, other = (pairs(ids[begin:end], distances[begin:end]) for _, distances, ids in (found, expected))
        assert row == other


def same(ours: Any, theirs: Any, queries: np.ndarray) -> None:
    for name in ("d", "code_size", "ntotal", "is_trained", "metric_type"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for k in (1, 3, 40, ours.ntotal + 3):
        same_nearest(ours, theirs, queries, k)
    for radius in (-1, 0, 1, 2, 7, 16, 33):
        same_within(ours, theirs, queries, radius)


def test_a_flat_one_numbers_places_and_closes_gaps() -> None:
    ours, theirs, queries = FaissBinaryIndex(32), faiss.IndexBinaryFlat(32), some_codes(1, 25)
    queries[:3] = some_codes(2, 400)[100:103]
    same(ours, theirs, queries)
    same(ours, theirs, queries[:0])
    for seed, n in ((2, 400), (3, 1), (4, 0)):
        for index in (ours, theirs):
            index.add(some_codes(seed, n))
        same(ours, theirs, queries)
    for gone in ([5, 5, 17, -1, 4000], [], [0], list(range(300, 398)), faiss.IDSelectorRange(10, 20)):
        gone = gone if isinstance(gone, faiss.IDSelector) else np.array(gone, np.int64)
        assert ours.remove_ids(gone) == theirs.remove_ids(gone)
        np.testing.assert_array_equal(ours.reconstruct_n(), theirs.reconstruct_n())
        same(ours, theirs, queries)
    for index in (ours, theirs):
        index.add(some_codes(5, 3))
    np.testing.assert_array_equal(ours.reconstruct(ours.ntotal - 1), theirs.reconstruct(theirs.ntotal - 1))
    np.testing.assert_array_equal(ours.reconstruct_n(7, 12), theirs.reconstruct_n(7, 12))
    np.testing.assert_array_equal(ours.reconstruct_n(n0=7), theirs.reconstruct_n(n0=7))
    assert ours.reconstruct_n(3, 0).shape == theirs.reconstruct_n(3, 0).shape
    for index in (ours, theirs):
        assert index.remove_ids(np.arange(index.ntotal)) > 0
        index.add(some_codes(6, 4))
    same(ours, theirs, queries)
    for index in (ours, theirs):
        index.reset()
        index.train(queries)
        index.add(some_codes(7, 50))
    same(ours, theirs, queries)
    same(pickle.loads(pickle.dumps(ours)), theirs, queries)


def test_an_id_map_keeps_its_ids() -> None:
    flat = faiss.IndexBinaryFlat(32)
    ours, theirs, queries = FaissBinaryIndex(32), faiss.IndexBinaryIDMap2(flat), some_codes(1, 25)
    ids = np.random.default_rng(0).permutation(5000)[:400]
    for index in (ours, theirs):
        index.add_with_ids(some_codes(2, 300), ids[:300])
        index.add_with_ids(some_codes(3, 100), ids[300:])
    same(ours, theirs, queries)
    for one in ids[::13].tolist():
        np.testing.assert_array_equal(ours.reconstruct(one), theirs.reconstruct(one))
    for gone in (ids[:30], np.append(ids[20:40], [-7, 9999]), faiss.IDSelectorRange(0, 500), faiss.IDSelectorAll()):
        assert ours.remove_ids(gone) == theirs.remove_ids(gone)
        same(ours, theirs, queries)
    assert ours.ntotal == 0
    for index in (ours, theirs):
        index.add_with_ids(some_codes(4, 5), np.arange(7, 12))
    np.testing.assert_array_equal(ours.reconstruct_n(8, 3), theirs.reconstruct_n(8, 3))
    for index in (ours, theirs):
        with pytest.raises(RuntimeError):
            index.reconstruct(6)
        with pytest.raises(RuntimeError):
            index.reconstruct_n(8, 5)
    ours.reset()
    assert (ours.ntotal, ours.remove_ids(np.array([7]))) == (0, 0)


def test_selectors_restrict_searches() -> None:
    ours, theirs, queries = FaissBinaryIndex(32), faiss.IndexBinaryFlat(32), some_codes(1, 25)
    for index in (ours, theirs):
        index.add(some_codes(2, 200))
    batch = faiss.IDSelectorBatch(np.arange(0, 200, 3))
    for selector in (batch, faiss.IDSelectorNot(batch), faiss.IDSelectorRange(50, 53)):
        params = faiss.SearchParameters(sel=selector)
        found, expected = (index.search(queries, 70, params=params) for index in (ours, theirs))
        np.testing.assert_array_equal(found[0], expected[0])
        assert all(selector.is_member(one) for one in found[1].ravel().tolist() if one >= 0)
        same_within(ours, theirs, queries, 9, params=params)
    np.testing.assert_array_equal(ours.search(queries, 4, params=faiss.SearchParameters())[1], ours.assign(queries, 4))


def test_what_faiss_asserts_of_its_own() -> None:
    """Exact distances; a range between two k-th neighbours; all lists of an IVF; shards; HNSW finds nothing nearer."""
    codes, queries = codes_of(0, 1000, 32), codes_of(1, 200, 32)
    ours, ivf = FaissBinaryIndex(32), faiss.index_binary_factory(32, "BIVF10")
    ivf.cp.min_points_per_centroid = 5
    ivf.train(codes)
    ivf.nprobe = 2048
    for index in (ours, ivf):
        index.add(codes)
    distances, ids = ours.search(queries, 10)
    np.testing.assert_array_equal(np.take_along_axis(hamming_matrix(queries, codes), ids, 1), distances)
    np.testing.assert_array_equal(ivf.search(queries, 10)[0], distances)
    labels = np.empty((200, 10), np.int64)
    assert ours.assign(x=queries, k=10, labels=labels) is labels
    np.testing.assert_array_equal(labels, ids)
    same_within(ours, ivf, queries, 5)

    n_wider = n_narrower = 0
    for radius in range(int(distances[:, -1].min()), int(distances[:, -1].max()) + 2):
        lims, _, within = ours.range_search(queries, radius)
        for q, farthest in enumerate(distances[:, -1].tolist()):
            inside = set(within[lims[q] : lims[q + 1]].tolist())
            if radius > farthest:
                n_wider += 1
                assert set(ids[q].tolist()) <= inside
            elif radius < farthest:
                n_narrower += 1
                assert inside <= set(ids[q].tolist())
    assert min(n_wider, n_narrower) > 100

    shards = [FaissBinaryIndex(32) for _ in range(5)]
    for i, shard in enumerate(shards):
        shard.add_with_ids(codes[200 * i :][:200], np.arange(200 * i, 200 * i + 200))
    parts = [
        np.concatenate(part, axis=1) for part in zip(*(shard.search(queries, 10) for shard in shards), strict=True)
    ]
    order = np.lexsort(parts[::-1])[:, :10]
    for part, whole in zip(parts, (distances, ids), strict=True):
        np.testing.assert_array_equal(np.take_along_axis(part, order, 1), whole)

    hnsw = faiss.IndexBinaryHNSW(32, 16)
    hnsw.add(codes)
    assert (hnsw.search(queries, 3)[0] >= distances[:, :3]).all()


def test_around_an_index_of_yours(engine: Engine, tmp_path: Path) -> None:
    codes, queries, theirs = (
        some_codes(0, 300, 64),
        some_codes(1, 9, 64),
        faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(64)),
    )
    theirs.add_with_ids(codes, np.arange(300))
    theirs.remove_ids(np.array([3]))
    stored = HashIndex.open(tmp_path / "store", 64, engine=engine)
    for index in (HashIndex(64, engine=engine), stored):
        ours = FaissBinaryIndex(index)
        ours.add(codes)
        ours.remove_ids([3])
        assert ours.index is index
        assert 3 not in index
        same(ours, theirs, queries)
        np.testing.assert_array_equal(index.search(queries, radius=8).ids, ours.range_search(queries, 9)[2])
        ours.add(codes[:2])
        assert index.ids()[-2:].tolist() == [300, 301]
    stored.close()
    with pytest.raises(ValueError, match="the index was closed"):
        ours.search(queries, 1)
    narrow = FaissBinaryIndex(HashIndex(63))
    assert (narrow.d, narrow.code_size) == (64, 8)


def test_wrong_calls_are_refused_with_what_to_call() -> None:
    codes = some_codes(0, 4, 64)
    ours = FaissBinaryIndex(64)
    ours.add(codes)
    half: Any = 0.5
    wrong: tuple[tuple[Any, type[Exception], str], ...] = (
        (
            lambda: FaissBinaryIndex(63),
            ValueError,
            "whole bytes, got 63 bits; 64 have the same distances if the last are 0",
        ),
        (lambda: FaissBinaryIndex(HashIndex()), ValueError, r"HashIndex\(n_bits=...\)"),
        (lambda: FaissBinaryIndex("64"), TypeError, "n_bits must be an integer"),  # type: ignore[arg-type]
        (lambda: ours.search(codes[0], 1), ValueError, r"got shape \(8,\), expected \(n, code_size\); x\[None\]"),
        (lambda: ours.search(codes[:, :7], 1), ValueError, r"expected \(n, 8\) for 64-bit codes"),
        (lambda: ours.search(codes.view(np.int8), 1), TypeError, r"got dtype int8.*values.view\(np.uint8\)"),
        (lambda: ours.search(codes, 0), ValueError, "k must be at least 1"),
        (lambda: ours.range_search(codes, half), TypeError, "radius must be an integer, got 0.5"),
        (lambda: ours.range_search(codes, None), TypeError, "radius must be an integer, got None"),  # type: ignore[arg-type]
        (lambda: ours.range_search(codes[0], 0), ValueError, r"got shape \(8,\)"),
        (lambda: ours.add_with_ids(codes, None), TypeError, r"add\(\) counts them"),
        (lambda: ours.add_with_ids(codes, [4, 5, 6]), ValueError, "got 3 ids for 4 codes"),
        (lambda: ours.add_with_ids(codes, [4, 5, 6, 1]), ValueError, "id 1 is already in the index"),
        (lambda: ours.add_with_ids(codes, [4, 5, 6, -1]), ValueError, "ids must not be negative"),
        (lambda: ours.remove_ids([half]), TypeError, "ids must be integers"),
        (lambda: ours.reconstruct(4), RuntimeError, "id 4 is not in the index"),
        (lambda: ours.reconstruct(-1), RuntimeError, "ids must not be negative"),
    )
    for call, error, message in wrong:
        with pytest.raises(error, match=message):
            call()
    assert ours.remove_ids([0]) == 1  # none of them has made it an id map
    np.testing.assert_array_equal(ours.reconstruct(0), codes[1])
