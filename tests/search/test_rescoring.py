"""Rescoring: candidates by bits, in the order of float scores that every engine computes bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hashindex import HashIndex, pack, unpack
from hashindex.engines import Engine

Floats = NDArray[np.float32]


def score(query: Floats, candidate: NDArray[Any]) -> np.float32:
    """One dot product in the order that the docs promise."""
    lanes = [0.0] * 8
    for i, (a, b) in enumerate(zip(query.tolist(), candidate.tolist(), strict=True)):
        lanes[i % 8] += a * b
    return np.float32(((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])))


def expected(
    ids: NDArray[np.int64], queries: Floats, items: dict[int, NDArray[Any]], k: int
) -> tuple[Floats, NDArray[np.int64]]:
    """The k best of the candidates (n_queries, n), -1 for none."""
    scores, best = np.full((len(ids), k), -np.inf, np.float32), np.full((len(ids), k), -1, np.int64)
    for q, row in enumerate(ids):
        ranked = sorted((-score(queries[q], items[one]), one) for one in row.tolist() if one >= 0)[:k]
        for i, (negative, one) in enumerate(ranked):
            scores[q, i], best[q, i] = -negative, one
    return scores, best


def filled(engine: Engine, n_bits: int) -> tuple[HashIndex, dict[int, NDArray[Any]], Floats]:
    """An index of a segment and a tail with own ids and removals, its items as +1 and -1, and float queries."""
    rng = np.random.default_rng(n_bits)
    floats = rng.standard_normal((18_000, n_bits)).astype(np.float32)
    floats[100:200] = floats[:100]  # equal scores: ids decide
    ids = rng.permutation(40_000)[: len(floats)]
    index = HashIndex(n_bits, engine=engine)
    index.add(pack(floats[:17_000]), ids=ids[:17_000])
    index.add(pack(floats[17_000:]), ids=ids[17_000:])
    index.remove(ids[50:60])
    items = {int(one): 2.0 * bits - 1 for one, bits in zip(ids, unpack(pack(floats), n_bits), strict=True)}
    queries = floats[[0, 101, 5_000, 17_500]] + 0.2 * rng.standard_normal(n_bits)
    return index, items, queries.astype(np.float32)


@pytest.mark.parametrize("n_bits", [9, 64, 100])
@pytest.mark.parametrize("ways", [{"k": 3}, {"k": 5, "oversample": 20}, {"k": 7, "oversample": 1, "radius": 3}])
def test_by_the_bits_of_the_codes(engine: Engine, n_bits: int, ways: dict[str, Any]) -> None:
    index, items, queries = filled(engine, n_bits)
    wide: dict[str, Any] = {**ways, "k": ways["k"] * ways.get("oversample", 4)}
    wide.pop("oversample", None)
    candidates = index.search(pack(queries), **wide).ids
    scores, ids = expected(candidates, queries, items, ways["k"])
    found = index.search(pack(queries), **ways, rescore=queries)
    np.testing.assert_array_equal(found.scores, scores)
    np.testing.assert_array_equal(found.ids, ids)
    assert found.scores.dtype == np.float32
    assert found.ids.dtype == np.int64
    one = index.search(pack(queries)[1], **ways, rescore=queries[1])
    np.testing.assert_array_equal(one.ids, ids[1])
    assert (one.n_queries, found.n_queries) == (1, len(queries))
    row = found.row(-1)
    np.testing.assert_array_equal(row.ids, ids[-1][ids[-1] >= 0])
    np.testing.assert_array_equal(row.scores, scores[-1][ids[-1] >= 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64, np.int8])
def test_by_vectors_of_another_length(engine: Engine, dtype: type, tmp_path: Path) -> None:
    index, _, queries = filled(engine, 64)
    rng = np.random.default_rng(0)
    path = tmp_path / "vectors.npy"
    np.save(path, (20 * rng.standard_normal((40_000, 13))).astype(dtype))
    vectors: NDArray[Any] = np.load(path, mmap_mode="r")
    asking = rng.standard_normal((len(queries), 13)).astype(np.float32)
    allowed = index.ids()[::7]
    candidates = index.search(pack(queries), k=40, allow=allowed).ids
    items = {int(one): vectors[one].astype(np.float32) for one in np.unique(candidates)}
    found = index.search(pack(queries), k=10, allow=allowed, rescore=asking, vectors=vectors)
    scores, ids = expected(candidates, asking, items, 10)
    np.testing.assert_array_equal(found.ids, ids)
    np.testing.assert_array_equal(found.scores, scores)


def test_few_codes_and_none(engine: Engine) -> None:
    index = HashIndex(16, engine=engine)
    queries = np.linspace(-1, 1, 32, dtype=np.float32).reshape(2, 16)
    assert index.search(pack(queries), k=3, rescore=queries).ids.tolist() == [[-1] * 3] * 2
    assert HashIndex(engine=engine).search(pack(queries), k=3, rescore=queries).ids.tolist() == [[-1] * 3] * 2
    index.add(pack(queries), ids=[7, 3])
    found = index.search(pack(queries), k=3, rescore=queries)
    assert found.ids.tolist() == [[7, 3, -1], [3, 7, -1]]
    assert np.isneginf(found.scores[:, 2]).all()
    none = index.search(pack(queries[:0]), k=3, rescore=queries[:0])
    assert none.ids.shape == none.scores.shape == (0, 3)
    huge = index.search(pack(queries), k=1, rescore=np.full((2, 16), 3e38, np.float32))
    assert huge.scores[1, 0] == np.inf  # the sum does not fit
    least = index.search(pack(queries), k=3, radius=0, rescore=np.full((2, 16), -3e38, np.float32))
    assert least.ids[1].tolist() == [3, -1, -1]  # what is found at minus infinity comes before what is missing


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"k": 2, "oversample": 3}, TypeError, "belong to rescore="),
        ({"k": 2, "vectors": np.ones((9, 4))}, TypeError, "belong to rescore="),
        ({"radius": 2, "rescore": np.ones((2, 16))}, TypeError, "needs k="),
        ({"k": 2, "rescore": np.ones((2, 16)), "oversample": 0}, ValueError, "at least 1"),
        ({"k": 2, "rescore": np.ones((2, 16)), "oversample": 1.5}, TypeError, "oversample"),
        ({"k": 2, "rescore": np.ones((2, 15))}, ValueError, r"got shape \(2, 15\).*\(2, 16\); vectors="),
        ({"k": 2, "rescore": np.ones(16)}, ValueError, r"got shape \(16,\).*\(2, 16\)"),
        ({"k": 2, "rescore": np.ones((2, 16), bool)}, TypeError, "got dtype bool, expected real numbers"),
        ({"k": 2, "rescore": [["a"], ["b"]]}, TypeError, "expected real numbers"),
        ({"k": 2, "rescore": [[1], [2, 3]]}, TypeError, "cannot be read"),
        ({"k": 2, "rescore": np.full((2, 16), np.nan)}, ValueError, "rescore: row 0 .* not finite"),
        ({"k": 2, "rescore": np.full((2, 16), 1e300)}, ValueError, "rescore: row 0 .* not finite in float32"),
        ({"k": 2, "rescore": np.ones((2, 4)), "vectors": np.ones(4)}, ValueError, r"vectors: got shape \(4,\)"),
        ({"k": 2, "rescore": np.ones((2, 4)), "vectors": np.ones((5, 4))}, ValueError, "got 5 of them, but id 7"),
        ({"k": 2, "rescore": np.ones((2, 4)), "vectors": np.full((9, 4), 1e300)}, ValueError, "vectors: row [37] "),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], error: type, says: str) -> None:
    index = HashIndex(16)
    queries = np.linspace(-1, 1, 32, dtype=np.float32).reshape(2, 16)
    index.add(pack(queries), ids=[7, 3])
    with pytest.raises(error, match=says):
        index.search(pack(queries), **options)
