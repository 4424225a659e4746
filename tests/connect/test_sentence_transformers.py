"""Searches of quantized embeddings beside those of sentence-transformers itself, over faiss's index and over ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex, pack
from hashindex.connect.faiss import FaissBinaryIndex
from hashindex.connect.sentence_transformers import semantic_search

PAGE = Path(__file__).parents[2] / "docs" / "connect" / "sentence_transformers.md"


def embeddings(n_dims: int, seed: int = 0, n: int = 700) -> tuple[np.ndarray, np.ndarray]:
    """Of queries and a corpus, in groups, some of them equal."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((20, n_dims))
    corpus = centres[rng.integers(20, size=n)] + rng.standard_normal((n, n_dims))
    corpus[n // 2 :: 9] = corpus[:1]
    queries = centres[rng.integers(20, size=12)] + rng.standard_normal((12, n_dims))
    return queries.astype(np.float32), corpus.astype(np.float32)


def same(ours: list[list[Any]], theirs: list[list[Any]]) -> None:
    """Equal scores, and equal texts but for the order of equal scores, and for which of those top_k cuts off."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert [set(hit) for hit in one] == [{"corpus_id", "score"}] * len(other)
        scores, their_scores = (np.array([hit["score"] for hit in row]) for row in (one, other))
        ids, their_ids = (np.array([hit["corpus_id"] for hit in row]) for row in (one, other))
        np.testing.assert_allclose(scores, their_scores, rtol=1e-5, atol=1e-5)
        whole = abs(scores - scores[-1]) > 1e-4
        assert set(ids[whole]) == set(their_ids[whole])
        assert len(set(ids)) == len(ids)


def ordered(hits: list[list[Any]], sign: int) -> None:
    """By score, lower ones first or higher ones, and then by id."""
    for row in hits:
        keys = [(sign * hit["score"], hit["corpus_id"]) for hit in row]
        assert keys == sorted(keys)


@pytest.fixture(scope="module")
def theirs() -> Any:
    return pytest.importorskip("sentence_transformers.util.quantization")


@pytest.mark.parametrize("n_dims", [384, 100])
@pytest.mark.parametrize("options", [{}, {"rescore": False}, {"top_k": 3, "rescore_multiplier": 7}, {"top_k": 800}])
def test_our_index_passes_through_theirs(theirs: Any, n_dims: int, options: dict[str, Any], tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    queries, corpus = embeddings(n_dims)
    codes = theirs.quantize_embeddings(corpus, precision="ubinary")
    flat, adapter = faiss.IndexBinaryFlat(8 * codes.shape[1]), FaissBinaryIndex(8 * codes.shape[1])
    store = HashIndex.open(tmp_path / "store", n_bits=n_dims)
    for index in (flat, adapter, store):
        index.add(codes)
    options = {"corpus_precision": "ubinary", **options}
    search = theirs.semantic_search_faiss
    expected, _ = search(queries, corpus_index=flat, **options)
    for index in (adapter, FaissBinaryIndex(store)):
        found, seconds, same_index = search(queries, corpus_index=index, output_index=True, **options)
        same(found, expected)
        assert same_index is index
        assert seconds > 0
    quantized = theirs.quantize_embeddings(queries, precision="ubinary")
    same(
        search(quantized, corpus_index=adapter, **options)[0],
        search(quantized, corpus_index=flat, **options)[0],
    )


@pytest.mark.parametrize("n_dims", [384, 100])
@pytest.mark.parametrize("options", [{}, {"rescore": False}, {"top_k": 3, "rescore_multiplier": 7}, {"top_k": 800}])
def test_ours_returns_what_theirs_returns(theirs: Any, n_dims: int, options: dict[str, Any]) -> None:
    queries, corpus = embeddings(n_dims)
    codes = theirs.quantize_embeddings(corpus, precision="ubinary")
    adapter, index = FaissBinaryIndex(8 * codes.shape[1]), HashIndex(n_dims)
    adapter.add(codes)
    index.add(codes)
    pytest.importorskip("faiss")
    for given in (queries, theirs.quantize_embeddings(queries, precision="ubinary")):
        expected, _ = theirs.semantic_search_faiss(given, corpus_index=adapter, corpus_precision="ubinary", **options)
        by_codes, seconds = semantic_search(given, codes, **options)
        same(by_codes, expected)
        ordered(by_codes, -1 if given is queries and options.get("rescore", True) else 1)
        assert seconds > 0
        assert semantic_search(given, corpus_index=adapter, **options)[0] == by_codes
        assert semantic_search(given, corpus_index=index, **options)[0] == by_codes
        torch = pytest.importorskip("torch")
        tensors = (torch.from_numpy(one) for one in (given, codes))
        assert semantic_search(*tensors, **options)[0] == by_codes


@pytest.mark.parametrize("options", [{"rescore_multiplier": 70}, {"rescore": False}])  # all, as ties are cut otherwise
def test_signed_ones(theirs: Any, options: dict[str, Any]) -> None:
    pytest.importorskip("usearch")
    queries, corpus = embeddings(384)
    codes = theirs.quantize_embeddings(corpus, precision="binary")
    found, _ = semantic_search(queries, codes, corpus_precision="binary", **options)
    same(found, theirs.semantic_search_usearch(queries, codes, corpus_precision="binary", **options)[0])
    signed = theirs.quantize_embeddings(queries, precision="binary")
    unsigned = semantic_search(pack(queries), pack(corpus))
    assert semantic_search(signed, codes, corpus_precision="binary")[0] == unsigned[0]


def test_vectors_give_scores_of_floats() -> None:
    queries, corpus = embeddings(384)
    found, _ = semantic_search(queries, pack(corpus), rescore_multiplier=70, vectors=corpus)  # looks at all of them
    for hits, scores in zip(found, queries.astype(np.float64) @ corpus.astype(np.float64).T, strict=True):
        ours, ids = [hit["score"] for hit in hits], [hit["corpus_id"] for hit in hits]
        np.testing.assert_allclose(ours, np.sort(scores)[:-11:-1], rtol=1e-5)
        np.testing.assert_allclose(ours, scores[ids], rtol=1e-5)


def test_few_and_none() -> None:
    queries, corpus = embeddings(100)
    for index in (HashIndex(100), HashIndex()):
        assert semantic_search(queries[:2], corpus_index=index)[0] == [[], []]
        assert semantic_search(queries[:0], corpus_index=index)[0] == []
    index.add(corpus[:3] > 0, ids=[70, 50, 60])
    for rescore in (True, False):
        (hits,), _ = semantic_search(queries[0], corpus_index=index, rescore=rescore)
        assert sorted(hit["corpus_id"] for hit in hits) == [50, 60, 70]


def test_what_is_refused() -> None:
    queries, corpus = embeddings(384)
    codes = pack(corpus)
    index = HashIndex(384)
    for arguments, kind, message in (
        ({}, TypeError, "either corpus_embeddings or corpus_index"),
        ({"corpus_embeddings": codes, "corpus_index": index}, TypeError, "either corpus_embeddings or corpus_index"),
        ({"corpus_index": codes}, TypeError, "must be a HashIndex or a FaissBinaryIndex, got ndarray"),
        ({"corpus_embeddings": corpus}, TypeError, "pack(values) makes codes"),
        ({"corpus_embeddings": codes[:, 1:]}, ValueError, "expected (n, 48) for 384-bit codes"),
        ({"corpus_embeddings": codes, "corpus_precision": "float32"}, ValueError, 'precision="ubinary"'),
        ({"corpus_embeddings": (codes ^ 128).view(np.int8)}, TypeError, "from_signed"),
        ({"corpus_embeddings": codes, "rescore": False, "vectors": corpus}, TypeError, "rescore=False"),
        ({"corpus_embeddings": codes, "top_k": None}, TypeError, "top_k must be an integer, got None"),
        ({"corpus_embeddings": codes, "rescore_multiplier": 0}, ValueError, "rescore_multiplier must be at least 1"),
        ({"corpus_embeddings": np.ma.array(codes)}, TypeError, "corpus_embeddings: got a masked array"),
    ):
        with pytest.raises(kind, match=re.escape(message)):
            semantic_search(queries, **arguments)
    for given, precision, kind, message in (
        (np.ma.array(queries), "ubinary", TypeError, "query_embeddings: got a masked array"),
        (queries.astype(int), "ubinary", TypeError, "got dtype int64, expected real numbers, or uint8 of quantize"),
        (pack(queries), "binary", TypeError, "got dtype uint8, expected real numbers, or int8 of quantize_embeddings"),
        ("query", "ubinary", TypeError, "got dtype <U5, expected real numbers"),
        (queries[None], "ubinary", ValueError, "got shape (1, 12, 384), expected (n_queries, n_dims)"),
        ([], "ubinary", ValueError, "got shape (0,), expected (n_queries, n_dims)"),
    ):
        with pytest.raises(kind, match=re.escape(message)):
            semantic_search(given, codes, corpus_precision=precision)  # type: ignore[arg-type]


def test_the_example_of_the_page(theirs: Any) -> None:
    pytest.importorskip("faiss")
    queries, corpus = embeddings(384)
    names: dict[str, Any] = {"queries": queries, "embeddings": corpus}
    (example,) = re.findall(r"^```\{code-block\} py\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    exec(example, names)
    assert names["hits"] == theirs.semantic_search_faiss(queries, pack(corpus), corpus_precision="ubinary", top_k=3)[0]
