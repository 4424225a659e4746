"""LangChain: a vector store over an index that lives in a folder. Needs langchain-core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from ..index import HashIndex
from ..inputs.items import as_array, as_floats
from ..inputs.numbers import check_k, check_oversample
from ..support.lazy import needed
from .langchain_documents import Filter, Found, check_metadatas, check_texts, cosines, nearest, payload, read

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import VectorStore
    from langchain_core.vectorstores.utils import maximal_marginal_relevance
else:
    _ASKING = ("hashindex.connect.langchain", "langchain")
    VectorStore = needed("langchain_core.vectorstores", *_ASKING).VectorStore
    maximal_marginal_relevance = needed("langchain_core.vectorstores.utils", *_ASKING).maximal_marginal_relevance

Store = TypeVar("Store", bound="HashIndexVectorStore")


class HashIndexVectorStore(VectorStore):
    """Documents in an index that lives in a folder, found by the bits of their embeddings and ordered by the floats.

    Ids of documents are keys of the index; texts, metadata and floats are payloads: everything is on the disk when a
    call returns. Searches look at the ``oversample * k`` documents nearest by bits (of those that a filter lets pass),
    and return the k best of them by the cosine of the query with what is kept.

    Other methods are those of LangChain's ``VectorStore``: ``add_documents``, ``as_retriever``, the ``a...`` ones.

    Parameters
    ----------
    embedding : Embeddings
        What embeds texts and queries.
    index : HashIndex, str or Path
        A store of :meth:`HashIndex.open`, or the folder of one. Codes in it that are no documents are passed over.
    oversample : int
        At least 1.
    keep_floats : bool
        Whether what is added keeps its float32 embedding: 16 bytes for 3 dimensions. Without, its bits are what a
        query is compared with.

    Attributes
    ----------
    index : HashIndex
        The store: ``index.close()`` lets go of it, ``index.refresh()`` takes what another process has written.

    Raises
    ------
    ImportError
        langchain-core is not installed: when this module is imported.
    TypeError, ValueError
        ``index`` is no store; ``oversample`` is no integer or below 1.
    OSError
        As :meth:`HashIndex.open`.
    """

    def __init__(
        self, embedding: Embeddings, index: HashIndex | str | Path, *, oversample: int = 4, keep_floats: bool = True
    ) -> None:
        self._embedding, self.keep_floats, self.oversample = embedding, keep_floats, check_oversample(oversample)
        self.index = index if isinstance(index, HashIndex) else HashIndex.open(index)
        self.index.find([])  # is it a store?

    @property
    def embeddings(self) -> Embeddings:
        """What embeds texts and queries."""
        return self._embedding

    @classmethod
    def from_texts(
        cls: type[Store],
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> Store:
        """Make one, ``kwargs`` being ``index=`` and what else the class takes, and add texts.

        Where that fails, a folder that was opened is closed again.
        """
        store = cls(embedding, **kwargs)
        try:
            store.add_texts(texts, metadatas, ids=ids)
        except BaseException:
            if store.index is not kwargs.get("index"):  # nobody else could
                store.index.close()
            raise
        return store

    @classmethod
    def from_documents(cls: type[Store], documents: Iterable[Document], embedding: Embeddings, **kwargs: Any) -> Store:
        """Make one, ``kwargs`` being ``index=`` and what else the class takes, and add documents."""
        store: Store = super().from_documents(list(documents), embedding, **kwargs)
        return store

    @classmethod
    async def afrom_documents(
        cls: type[Store], documents: Iterable[Document], embedding: Embeddings, **kwargs: Any
    ) -> Store:
        """As :meth:`from_documents`."""
        store: Store = await super().afrom_documents(list(documents), embedding, **kwargs)
        return store

    def add_documents(self, documents: Iterable[Document], **kwargs: Any) -> list[str]:
        """Add documents under their ids as :meth:`add_texts` does; ``ids=`` has others."""
        ids: list[str] = super().add_documents(list(documents), **kwargs)
        return ids

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Iterable[dict[str, Any] | None] | None = None,
        *,
        ids: Iterable[str | None] | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> list[str]:
        """Add documents, or put them in the place of those that have their ids; all of them, or none.

        Parameters
        ----------
        texts : iterable of str
        metadatas : iterable of dict, optional
            What JSON can say: tuples come back as lists, keys as text. None for one is an empty dict.
        ids : iterable of str or None, optional
            None is given a new one.

        Returns
        -------
        list of str
            The ids.

        Raises
        ------
        TypeError, ValueError
            As many metadatas or ids as texts are expected; an id given twice; metadata that is no JSON; embeddings of
            another length than those before, or not finite.
        OSError
            The store could not be written; it is as before.
        """
        texts = check_texts(texts)
        noted, ids = check_metadatas(metadatas or ()), list(ids or ())
        for name, n in (("metadatas", len(noted)), ("ids", len(ids))):
            if n not in (0, len(texts)):
                raise ValueError(f"got {n} {name} for {len(texts)} texts")
        if not texts:
            return []
        keys = [one or str(uuid4()) for one in ids or [None] * len(texts)]
        vectors = self._floats(self._embedding.embed_documents(texts), len(texts))
        payloads = [
            payload(text, metadata, vector if self.keep_floats else None)
            for text, metadata, vector in zip(texts, noted or [{}] * len(texts), vectors, strict=True)
        ]
        self.index.add(vectors > 0, keys=keys, payloads=payloads, on_duplicate="replace")
        return keys

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:  # noqa: ARG002
        """Delete documents by id, or everything without; ids that are not there are ignored."""
        if ids is None:
            self.index.clear()
        else:
            self.index.remove(keys=ids, missing="ignore")
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of those ids that are there, in their order."""
        found = self.index.find(ids)
        return [one.document for one in read(self.index, found[found >= 0])]

    def similarity_search(self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any) -> list[Document]:  # noqa: A002
        """Return the k best documents for a text; :meth:`similarity_search_with_score` has the parameters."""
        return self.similarity_search_by_vector(self._embedding.embed_query(query), k, filter, **kwargs)

    def similarity_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        **kwargs: Any,
    ) -> list[Document]:
        """Return the k best documents for an embedding; :meth:`similarity_search_with_score` has the parameters."""
        return [found.document for found, _ in self._best(embedding, k, filter, **kwargs)]

    def similarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        **kwargs: Any,
    ) -> list[tuple[Document, float]]:
        """Return the k best documents for a text, with their scores.

        Parameters
        ----------
        query : str
        k : int
            At least 1.
        filter : dict or callable, optional
            Values that metadata must have, or what says of a document whether to take it. The answer is that of a
            store which has no others.

        Returns
        -------
        list of (Document, float)
            By (score descending, when it was added). The score is a cosine, -1 to 1.

        Raises
        ------
        TypeError, ValueError
            ``k`` is no integer or below 1; the filter is neither; an embedding of another length than those before.
        """
        found = self._best(self._embedding.embed_query(query), k, filter, **kwargs)
        return [(one.document, score) for one, score in found]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Return k of the ``fetch_k`` best documents for a text that are good and unlike each other."""
        embedding = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(embedding, k, fetch_k, lambda_mult, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Return k of the ``fetch_k`` best documents for an embedding that are good and unlike each other."""
        found = [one for one, _ in self._best(embedding, fetch_k, **kwargs)]
        chosen = maximal_marginal_relevance(
            np.asarray(embedding), [one.vector.tolist() for one in found], lambda_mult, k
        )
        return [found[one].document for one in chosen]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda score: (1 + score) / 2

    def _best(self, embedding: Any, k: int, filter: Filter | None = None) -> list[tuple[Found, float]]:  # noqa: A002
        query = self._floats([embedding], 1)[0]
        found = nearest(self.index, query > 0, self.oversample * check_k(k), filter)
        scored = zip(found, cosines(found, query).tolist(), strict=True)
        return sorted(scored, key=lambda hit: (-hit[1], hit[0].id))[:k]

    def _floats(self, embeddings: Any, n: int) -> NDArray[np.float32]:
        """The embeddings of so many texts, (n, n_dims)."""
        try:
            array = as_array(embeddings)
        except ValueError:  # of several lengths
            array = np.empty(0, object)
        if array.dtype.kind not in "fiu" or array.ndim != 2 or len(array) != n or not array.shape[1]:
            seen = f"{array.dtype} of shape {array.shape}" if array.ndim and array.size else type(embeddings).__name__
            raise ValueError(f"the model must return a list of as many real numbers for each of {n} texts, got {seen}")
        n_bits = self.index.n_bits or array.shape[1]
        if array.shape[1] != n_bits:
            raise ValueError(
                f"got embeddings of shape {array.shape}, expected (n, {n_bits}): the model must be that which "
                "embedded the documents of the store"
            )
        return as_floats(array)
