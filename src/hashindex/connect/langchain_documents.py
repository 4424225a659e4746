"""Documents of LangChain in a store: what is noted with their codes, how it is read back, and which are nearest."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..codes import unpack
from ..index import HashIndex
from ..support.lazy import needed

if TYPE_CHECKING:
    from langchain_core.documents import Document
else:
    Document = needed("langchain_core.documents", "hashindex.connect.langchain", "langchain").Document

BLOCK = 1000  # documents read at once
WIDEN = 4  # times as many neighbours are asked for where a filter left too few

Filter = Mapping[str, Any] | Callable[["Document"], bool]


class Found(NamedTuple):
    """A document, and what is kept of its embedding: the floats, or the bits as +1 and -1."""

    id: int
    document: Document
    vector: NDArray[Any]  # (n_dims,)


def check_texts(texts: Iterable[str]) -> list[str]:
    """A list of texts; TypeError where one is none, or all are one."""
    if isinstance(texts, str):
        raise TypeError("texts is a str, whose characters would be texts; [texts] is one text")
    given = list(texts)
    for i, text in enumerate(given):
        if not isinstance(text, str):
            raise TypeError(f"texts[{i}] must be a str, got {type(text).__name__}")
    return given


def check_metadatas(metadatas: Iterable[Any]) -> list[dict[str, Any]]:
    """A list of dicts, None being an empty one; TypeError for anything else."""
    given = [{} if one is None else one for one in metadatas]
    for i, one in enumerate(given):
        if not isinstance(one, dict):
            raise TypeError(f"metadatas[{i}] must be a dict, got {type(one).__name__}")
    return given


def payload(text: str, metadata: dict[str, Any], vector: NDArray[np.float32] | None) -> dict[str, Any]:
    """What is noted of a document, with the floats (n_dims,) of its embedding or without."""
    floats = None if vector is None else b64encode(vector.astype("<f4").tobytes()).decode()
    return {"text": text, "metadata": metadata, "vector": floats}


def read(index: HashIndex, ids: NDArray[np.int64]) -> Iterator[Found]:
    """Iterate over those of ``ids`` (n,) that are documents and in the index, in that order."""
    for begin in range(0, len(ids), BLOCK):
        some = ids[begin : begin + BLOCK]
        while True:
            try:
                codes, items = index.get(some), index._items(some)
                break
            except KeyError:  # another thread has removed one meanwhile
                some = some[[one in index for one in some.tolist()]]
        for one, code, (key, noted) in zip(some.tolist(), codes, items, strict=True):
            if not isinstance(noted, dict):
                continue
            text, metadata, vector = (noted.get(name) for name in ("text", "metadata", "vector"))
            if isinstance(text, str) and isinstance(metadata, dict) and isinstance(vector, str | None):
                yield Found(one, Document(text, id=key, metadata=metadata), _vector(vector, code, index.n_bits or 0))


def nearest(index: HashIndex, bits: NDArray[np.bool_], k: int, filter: Filter | None) -> list[Found]:  # noqa: A002
    """The k nearest by bits (n_bits,) of the documents that the filter lets pass, by (distance, id)."""
    matches = _matcher(filter)
    found, seen, wide = list[Found](), np.empty(0, np.int64), k
    while True:
        n = max(len(index), 1)
        near = index.search(bits, min(wide, n)).row(0).ids
        for one in read(index, near[~np.isin(near, seen)]):
            if matches(one.document):
                found.append(one)
                if len(found) == k:
                    return found
        if wide >= n:
            return found
        seen, wide = np.union1d(seen, near), wide * WIDEN


def cosines(found: list[Found], query: NDArray[np.float32]) -> NDArray[np.float64]:
    """The cosine of each vector (n,) with the query (n_dims,), 0 where one of them is 0."""
    vectors = np.array([one.vector for one in found], np.float64).reshape(-1, len(query))
    lengths = np.sqrt((vectors**2).sum(axis=1) * (query.astype(np.float64) ** 2).sum())
    products: NDArray[np.float64] = (vectors * query).sum(axis=1)
    return np.clip(products / np.where(lengths > 0, lengths, 1), -1, 1)


def _vector(floats: str | None, code: NDArray[np.uint8], n_bits: int) -> NDArray[Any]:
    if floats is not None:
        with suppress(ValueError):  # of somebody else
            vector = np.frombuffer(b64decode(floats), "<f4")
            if len(vector) == n_bits:
                return vector
    return unpack(code, n_bits) * 2.0 - 1


def _matcher(filter: Filter | None) -> Callable[[Document], bool]:  # noqa: A002
    wanted = {} if filter is None else filter
    if isinstance(wanted, Mapping):
        items = wanted.items()
        return lambda document: all(key in document.metadata and document.metadata[key] == one for key, one in items)
    if callable(wanted):
        return wanted
    raise TypeError(
        "filter must be a dict of values that metadata must have, or a callable that takes a Document, got "
        f"{type(filter).__name__}"
    )
