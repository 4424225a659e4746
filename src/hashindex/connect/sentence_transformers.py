"""sentence-transformers: its semantic search over binary embeddings. Neither it nor faiss is needed."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..codes import pack
from ..index import HashIndex
from ..inputs.codes import refuse_masked
from ..inputs.items import as_array
from ..inputs.numbers import check_at_least
from ..inputs.reading import from_signed
from .faiss_index import FaissBinaryIndex


class Hit(TypedDict):
    """One of the texts that were found."""

    corpus_id: int
    score: float


def semantic_search(
    query_embeddings: Any,
    corpus_embeddings: Any | None = None,
    corpus_index: HashIndex | FaissBinaryIndex | None = None,
    corpus_precision: Literal["ubinary", "binary"] = "ubinary",
    top_k: int = 10,
    *,
    rescore: bool = True,
    rescore_multiplier: int = 2,
    vectors: Any | None = None,
) -> tuple[list[list[Hit]], float]:
    """Find the texts nearest to each query, as sentence-transformers' ``semantic_search_faiss`` does of ``ubinary``.

    Parameters
    ----------
    query_embeddings : array_like
        Of ``model.encode``: real numbers (n_queries, n_dims), so that they can rescore; or quantized as the corpus.
        Arrays, lists and tensors; one query may have one dimension fewer.
    corpus_embeddings : array_like, optional
        Of ``quantize_embeddings(embeddings, precision=corpus_precision)``: (n, ceil(n_dims / 8)).
    corpus_index : HashIndex or FaissBinaryIndex, optional
        Instead of them, an index of them that is made once; ``corpus_id`` is then its id.
    corpus_precision : {"ubinary", "binary"}
        What is quantized: packed bits in uint8, or the same less 128 in int8.
    top_k : int
        How many texts for a query, at least 1.
    rescore : bool
        Order the ``rescore_multiplier * top_k`` nearest by the dot product of the query's numbers with the bits.
        Queries that are quantized cannot.
    rescore_multiplier : int
        At least 1.
    vectors : array_like of float (n, n_dims), optional
        Rescore by these and not by the bits: ``vectors[corpus_id]``, such as a memory map of the embeddings.

    Returns
    -------
    hits : list of list of dict
        For each query at most ``top_k`` of ``{"corpus_id": int, "score": float}``, best first, equal ones by id. The
        score is the dot product, higher being better; without rescoring the distance, lower being better.
    seconds : float
        What searching took.

    Raises
    ------
    TypeError, ValueError
        Both or none of ``corpus_embeddings`` and ``corpus_index``; another precision; what :meth:`HashIndex.add` and
        :meth:`HashIndex.search` refuse, such as embeddings of another width.
    """
    if corpus_precision not in ("ubinary", "binary"):
        raise ValueError(
            f"corpus_precision must be 'ubinary' or 'binary', got {corpus_precision!r}: of numbers "
            'quantize_embeddings(embeddings, precision="ubinary") makes codes'
        )
    top_k = check_at_least(top_k, "top_k", 1)
    rescore_multiplier = check_at_least(rescore_multiplier, "rescore_multiplier", 1)
    queries = _queries(query_embeddings, corpus_precision)
    is_real = queries.dtype.kind == "f"
    codes = pack(queries) if is_real else _unsigned(queries, corpus_precision)
    index = _index(corpus_embeddings, corpus_index, corpus_precision, queries.shape[-1] * (1 if is_real else 8))
    begin = perf_counter()
    if is_real and rescore:
        scores, ids = _rescored(index, codes, queries, top_k, rescore_multiplier, vectors)
    elif vectors is not None:
        raise TypeError("vectors= are what real queries are rescored by: these are quantized, or rescore=False")
    else:
        distances, ids = index.search(codes, top_k)
        scores = distances.astype(np.float64)
    seconds = perf_counter() - begin
    return [
        [{"corpus_id": one, "score": score} for score, one in zip(*row, strict=True) if one >= 0]
        for row in zip(scores.tolist(), ids.tolist(), strict=True)
    ], seconds


def _queries(embeddings: Any, precision: str) -> NDArray[Any]:
    """Real or quantized queries (n_queries, n_dims or code_size)."""
    refuse_masked(embeddings, "query_embeddings")
    queries = np.atleast_2d(as_array(embeddings))
    quantized = np.int8 if precision == "binary" else np.uint8
    if queries.dtype.kind != "f" and queries.dtype != quantized:
        raise TypeError(
            f"query_embeddings: got dtype {queries.dtype}, expected real numbers, or {quantized.__name__} of "
            f'quantize_embeddings(embeddings, precision="{precision}")'
        )
    if queries.ndim != 2 or not queries.shape[1]:
        raise ValueError(f"query_embeddings: got shape {np.shape(embeddings)}, expected (n_queries, n_dims)")
    return queries


def _rescored(
    index: HashIndex, codes: NDArray[np.uint8], queries: NDArray[Any], k: int, oversample: int, vectors: Any | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores and ids (n_queries, k); of bits, the sum of a query's numbers where the bit is 1."""
    if vectors is not None:
        found = index.search(codes, k, rescore=queries, oversample=oversample, vectors=vectors)
        return found.scores.astype(np.float64), found.ids
    n_pad = max(0, min((index.n_bits or 8 * codes.shape[1]) - queries.shape[1], 7))  # an index of whole bytes
    found = index.search(codes, k, rescore=np.pad(queries, ((0, 0), (0, n_pad))), oversample=oversample)
    return (found.scores + queries.sum(axis=1, dtype=np.float64)[:, None]) / 2, found.ids  # of bits that are +1 and -1


def _index(embeddings: Any, index: HashIndex | FaissBinaryIndex | None, precision: str, n_bits: int) -> HashIndex:
    if (embeddings is None) == (index is None):
        raise TypeError("semantic_search needs either corpus_embeddings or corpus_index")
    if index is None:
        refuse_masked(embeddings, "corpus_embeddings")
        index = HashIndex(n_bits)
        index.add(_unsigned(as_array(embeddings), precision))
    if isinstance(index, FaissBinaryIndex):
        index = index.index
    if not isinstance(index, HashIndex):
        raise TypeError(f"corpus_index must be a HashIndex or a FaissBinaryIndex, got {type(index).__name__}")
    return index


def _unsigned(embeddings: NDArray[Any], precision: str) -> NDArray[Any]:
    return from_signed(embeddings) if precision == "binary" else embeddings
