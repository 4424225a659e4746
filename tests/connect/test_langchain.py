"""LangChain's own suite for vector stores, and searches beside LangChain's store in memory."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex, pack

pytest.importorskip("langchain_core")
pytest.importorskip("langchain_tests")

from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from hashindex.connect.langchain import HashIndexVectorStore

PAGE = Path(__file__).parents[2] / "docs" / "connect" / "langchain.md"
EMBEDDING = DeterministicFakeEmbedding(size=64)
ALL = 10**6  # so many times k are all there are

for _test in vars(VectorStoreIntegrationTests).values():
    if inspect.iscoroutinefunction(_test):
        pytest.mark.asyncio(_test)


class TestSuite(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Iterator[HashIndexVectorStore]:
        store = HashIndexVectorStore(self.get_embeddings(), tmp_path)
        yield store
        store.index.check()
        store.index.close()


class TestSuiteWithoutFloats(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Iterator[HashIndexVectorStore]:
        with HashIndex.open(tmp_path) as opened:
            yield HashIndexVectorStore(self.get_embeddings(), opened, keep_floats=False)


def documents(n: int) -> list[Document]:
    return [
        Document(f"text {i}", id=f"id-{i}", metadata={"third": i % 3, "rare": i == 77, "list": [i, {"deep": None}]})
        for i in range(n)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HashIndexVectorStore]:
    with HashIndex.open(tmp_path / "store") as opened:
        yield HashIndexVectorStore(EMBEDDING, opened)


@pytest.fixture
def peer() -> InMemoryVectorStore:
    return InMemoryVectorStore(EMBEDDING)


def same(ours: list[tuple[Document, float]], theirs: list[tuple[Document, float]]) -> None:
    assert [one for one, _ in ours] == [one for one, _ in theirs]
    np.testing.assert_allclose([score for _, score in ours], [score for _, score in theirs], atol=1e-6)


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"third": 1},
    {"third": 1, "rare": True},
    {"third": 2, "rare": True},
    {"list": [4, {"deep": None}]},
)


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("k", [1, 4, 300])
def test_of_all_looked_at_it_finds_what_a_float_search_finds(
    store: HashIndexVectorStore, peer: InMemoryVectorStore, wanted: dict[str, Any], k: int
) -> None:
    store.oversample = ALL
    for each in (store, peer):
        each.add_documents(documents(200))
        each.add_documents(documents(20)[5:])  # again
        each.delete(["id-3", "id-100", "unknown"])
    for query in ("text 5", "text 77", "something else"):
        expected = peer.similarity_search_with_score(
            query, k, filter=lambda one: wanted.items() <= one.metadata.items()
        )
        same(store.similarity_search_with_score(query, k, filter=wanted), expected)
        same(
            store.similarity_search_with_score(query, k, filter=lambda one: wanted.items() <= one.metadata.items()),
            expected,
        )
        same(asyncio.run(store.asimilarity_search_with_score(query, k, filter=wanted)), expected)
        vector = EMBEDDING.embed_query(query)
        assert store.similarity_search_by_vector(vector, k, filter=wanted) == [one for one, _ in expected]
    assert store.get_by_ids(["id-9", "id-3", "id-0"]) == [documents(10)[9], documents(1)[0]]


@pytest.mark.parametrize("keep_floats", [True, False])
@pytest.mark.parametrize("wanted", [None, {"third": 1}, {"rare": True}])
def test_bits_choose_and_what_is_kept_orders(
    store: HashIndexVectorStore, keep_floats: bool, wanted: dict[str, Any] | None
) -> None:
    store.keep_floats = keep_floats
    docs = documents(500)
    store.add_documents(docs)
    vectors = np.array(EMBEDDING.embed_documents([one.page_content for one in docs]), np.float32)
    passed = np.array([wanted is None or wanted.items() <= one.metadata.items() for one in docs])
    for query in ("text 5", "another"):
        vector = np.array(EMBEDDING.embed_query(query), np.float32)
        distances = np.where(passed, ((vectors > 0) != (vector > 0)).sum(axis=1), 1000)
        near = np.argsort(distances, kind="stable")[: min(20, passed.sum())]
        kept = vectors if keep_floats else np.where(vectors > 0, 1.0, -1.0)
        scores = kept[near] @ vector / np.linalg.norm(kept[near], axis=1) / np.linalg.norm(vector)
        order = np.lexsort((near, -scores))[:5]
        expected = [(docs[near[one]], scores[one]) for one in order]
        same(store.similarity_search_with_score(query, 5, wanted), expected)


def test_it_is_all_on_the_disk(tmp_path: Path) -> None:
    docs = documents(30)
    first = HashIndexVectorStore.from_documents(docs, EMBEDDING, index=tmp_path / "store", oversample=7)
    assert first.oversample == 7
    expected = first.similarity_search_with_score("text 9", 30)
    reader = HashIndexVectorStore(EMBEDDING, HashIndex.open(tmp_path / "store", mode="r"), oversample=7)
    same(reader.similarity_search_with_score("text 9", 30), expected)
    first.delete(["id-9"])
    assert "id-9" not in {one.id for one in reader.similarity_search("text 9", 30)}  # its text is gone
    assert reader.index.refresh()
    first.index.close()
    again = HashIndexVectorStore(EMBEDDING, str(tmp_path / "store"))
    assert len(again.similarity_search("text 9", 40)) == 29
    assert again.index.n_bits == 64
    again.delete()
    assert again.similarity_search("text 9") == []
    again.index.close()


def test_all_or_nothing(store: HashIndexVectorStore) -> None:
    store.add_documents(documents(3))
    before = store.similarity_search_with_score("text 1")
    for texts, options, kind, message in (
        (["new", "text"], {"metadatas": [{}, {"x": {1, 2}}], "ids": ["new", "id-1"]}, TypeError, "JSON"),
        (["new", "text"], {"ids": ["id-1", "id-1"]}, ValueError, "given twice"),
        (["new", "text"], {"ids": ["id-1"]}, ValueError, "got 1 ids for 2 texts"),
        (["new", "text"], {"metadatas": [{}]}, ValueError, "got 1 metadatas for 2 texts"),
    ):
        with pytest.raises(kind, match=message):
            store.add_texts(texts, **options)
        same(store.similarity_search_with_score("text 1"), before)
    other = HashIndexVectorStore(DeterministicFakeEmbedding(size=65), store.index)
    for call in (other.similarity_search, lambda text: other.add_texts([text])):
        with pytest.raises(ValueError, match=re.escape("of shape (1, 65), expected (n, 64)")):
            call("text")
    assert store.add_texts([]) == []
    assert len(store.add_texts(iter(["a", "b"]), ids=["a", None])) == 2


def test_a_batch_makes_one_change_of_many_calls(store: HashIndexVectorStore, tmp_path: Path) -> None:
    store.add_documents(documents(3))
    with HashIndex.open(tmp_path / "store", mode="r") as reader, store.index.batch():
        store.add_documents(documents(5)[2:])
        store.delete(["id-0"])
        assert store.get_by_ids(["id-0", "id-4"]) == documents(5)[4:]
        assert not reader.refresh()
    before = store.similarity_search_with_score("text 1", 9)
    assert {one.id for one, _ in before} == {"id-1", "id-2", "id-3", "id-4"}
    with suppress(ZeroDivisionError), store.index.batch():
        store.add_texts(["another", "new"], ids=["id-1", "new"])
        raise ZeroDivisionError
    with store.index.batch(), pytest.raises(TypeError, match="JSON"):
        store.add_texts(["another"], [{"x": {1, 2}}], ids=["id-1"])
    same(store.similarity_search_with_score("text 1", 9), before)


def test_a_folder_that_was_opened_for_nothing_is_closed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any, texts: list[str]) -> list[list[float]]:
        raise ConnectionError(texts[0])

    monkeypatch.setattr(DeterministicFakeEmbedding, "embed_documents", fail)
    with pytest.raises(ConnectionError, match="x") as caught:
        HashIndexVectorStore.from_texts(["x"], EMBEDDING, index=tmp_path / "store")
    with HashIndex.open(tmp_path / "store") as opened:  # while the error holds on to what failed
        with pytest.raises(ConnectionError):
            HashIndexVectorStore.from_documents([Document("y")], EMBEDDING, index=opened)
        assert len(opened) == 0
    assert caught.value is not None


def test_what_is_refused(store: HashIndexVectorStore, tmp_path: Path) -> None:
    store.add_documents(documents(3))
    for call, kind, message in (
        (lambda: store.similarity_search("x", filter=["third"]), TypeError, "filter must be a dict"),  # type: ignore[arg-type]
        (lambda: store.similarity_search("x", where={"third": 1}), TypeError, "where"),
        (lambda: store.similarity_search("x", 0), ValueError, "k"),
        (lambda: HashIndexVectorStore(EMBEDDING, HashIndex(64)), ValueError, "HashIndex.open"),
        (lambda: HashIndexVectorStore(EMBEDDING, tmp_path / "other", oversample=0), ValueError, "oversample"),
        (lambda: HashIndexVectorStore.from_texts(["x"], EMBEDDING), TypeError, "index"),
    ):
        with pytest.raises(kind, match=message):
            call()


def test_anything_that_can_be_walked_through_is_added(store: HashIndexVectorStore, tmp_path: Path) -> None:
    docs = documents(9)
    assert store.add_documents(iter(docs)) == [one.id for one in docs]
    assert store.get_by_ids([f"id-{i}" for i in range(9)]) == docs
    nameless = store.add_documents(Document(one.page_content, metadata=one.metadata) for one in docs)
    assert [one.metadata for one in store.get_by_ids(nameless)] == [one.metadata for one in docs]
    for made in (
        HashIndexVectorStore.from_documents(iter(docs), EMBEDDING, index=tmp_path / "a"),
        asyncio.run(HashIndexVectorStore.afrom_documents(iter(docs), EMBEDDING, index=tmp_path / "b")),
    ):
        assert made.get_by_ids(["id-3"]) == [docs[3]]
        made.index.close()
    store.add_texts(iter(["a", "b"]), iter([{"x": 1}, None]), ids=iter(["a", "b"]))
    assert [one.metadata for one in store.get_by_ids(["a", "b"])] == [{"x": 1}, {}]
    assert len(store.similarity_search("a", 99)) == 20


class Wrong(DeterministicFakeEmbedding):
    """A model that returns what ``made`` makes of its embeddings."""

    made: Any

    def embed_documents(self, texts: list[str]) -> Any:
        return self.made(super().embed_documents(texts))


def test_what_is_no_text_and_no_embedding_is_told_and_adds_nothing(store: HashIndexVectorStore) -> None:
    texts: Any
    for texts, options, message in (
        ("text", {}, r"texts is a str, whose characters would be texts; \[texts\] is one"),
        (["a", 5], {}, r"texts\[1\] must be a str, got int"),
        (["a", "b"], {"metadatas": [{}, "x"]}, r"metadatas\[1\] must be a dict, got str"),
        (["a"], {"ids": [5]}, "a key must be a str"),
    ):
        with pytest.raises(TypeError, match=message):
            store.add_texts(texts, **options)
    for made, seen in (
        (lambda vectors: vectors[:1], r"float64 of shape \(1, 64\)"),
        (lambda vectors: vectors[0], r"float64 of shape \(64,\)"),
        (lambda vectors: [vectors[0], vectors[1][:3]], "list"),
        (lambda _: None, "NoneType"),
        (lambda _: [["a"], ["b"]], r"<U1 of shape \(2, 1\)"),
        (iter, "list_iterator"),
    ):
        other = HashIndexVectorStore(Wrong(size=64, made=made), store.index)
        with pytest.raises(ValueError, match=f"real numbers for each of 2 texts, got {seen}$"):
            other.add_texts(["a", "b"])
    assert len(store.index) == 0
    torch = pytest.importorskip("torch")
    tensors = HashIndexVectorStore(Wrong(size=64, made=lambda vectors: torch.tensor(vectors)), store.index)
    assert len(tensors.add_texts(["a", "b"])) == 2
    with pytest.raises(ValueError, match="for each of 1 texts, got <U1"):
        store.similarity_search_by_vector("a")  # type: ignore[arg-type]


def test_codes_that_are_no_documents_are_passed_over(store: HashIndexVectorStore) -> None:
    query = EMBEDDING.embed_query("text 1")
    others: list[Any] = [{"other": 1}, None, {"text": 5, "metadata": {}}, {"text": "no metadata"}, "text"]
    store.index.add(np.tile(pack(query), (50, 1)), payloads=others * 10)
    store.add_documents(documents(3))
    assert {one.id for one in store.similarity_search("text 1", 4)} == {"id-0", "id-1", "id-2"}
    store.index.add(pack(query), keys=["bits"], payloads=[{"text": "of bits", "metadata": {}, "vector": "AAAA"}])
    assert "bits" in {one.id for one in store.similarity_search("text 1", 4)}  # compared by its bits


def test_equal_ones_come_as_they_were_added(store: HashIndexVectorStore) -> None:
    store.add_texts(["same"] * 30, ids=[str(i) for i in range(30)])
    store.add_texts(["same"], ids=["3"])  # again, so it is the last
    found = store.similarity_search("same", 30)
    assert [one.id for one in found] == [*(str(i) for i in range(30) if i != 3), "3"]


def test_retrievers(store: HashIndexVectorStore, peer: InMemoryVectorStore) -> None:
    store.oversample = ALL
    for each in (store, peer):
        each.add_documents(documents(60))
    options: dict[str, Any] = {"k": 5, "fetch_k": 30, "lambda_mult": 0.3}
    theirs = peer.as_retriever(search_type="mmr", search_kwargs=options).invoke("text 5")
    assert store.as_retriever(search_type="mmr", search_kwargs=options).invoke("text 5") == theirs
    options = {"k": 60, "score_threshold": 0.5, "filter": {"third": 2}}
    found = store.as_retriever(search_type="similarity_score_threshold", search_kwargs=options).invoke("text 5")
    scored = store.similarity_search_with_score("text 5", 60, {"third": 2})
    assert found == [one for one, score in scored if score >= 0]
    assert 0 < len(found) < 20
    (best, relevance), *_ = store.similarity_search_with_relevance_scores("text 5")
    assert best.id == "id-5"
    assert relevance == pytest.approx(1)


def test_langchains_indexing(store: HashIndexVectorStore) -> None:
    records = InMemoryRecordManager(namespace="test")
    records.create_schema()
    docs = [Document(f"text {i}", metadata={"source": str(i % 2)}) for i in range(6)]
    counts = []
    for some in (docs, docs, docs[:2]):
        told = index(some, records, store, cleanup="full", source_id_key="source", key_encoder="sha256")
        counts.append((told["num_added"], told["num_skipped"], told["num_deleted"]))
    assert counts == [(6, 0, 0), (0, 6, 0), (0, 2, 4)]
    assert {one.page_content for one in store.similarity_search("text", 6)} == {"text 0", "text 1"}


def test_searches_while_documents_go(store: HashIndexVectorStore) -> None:
    docs, done, errors = documents(40), Event(), list[Exception]()
    store.add_documents(docs[:20])

    def search() -> None:
        while not done.is_set():
            try:
                assert store.similarity_search("text 5", 20, {"rare": False})
                store.get_by_ids([str(one.id) for one in docs])
            except Exception as error:
                errors.append(error)
                return

    searching = Thread(target=search)
    searching.start()
    for _ in range(20):
        store.add_documents(docs[20:])
        store.delete([str(one.id) for one in docs[20:]])
    done.set()
    searching.join()
    assert errors == []


def test_the_example_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"embeddings": EMBEDDING}
    (example,) = re.findall(r"^```\{code-block\} py\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    exec(example, names)
    assert [one.id for one in names["found"]] == ["cat"]
    assert names["retriever"].invoke("A dog barks.")[0].id == "dog"
    names["store"].index.close()
