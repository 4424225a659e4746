"""Codes to and from Arrow, Parquet and DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hashindex as hx
from hashindex import HashIndex
from reference import codes_of

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

from hashindex.connect import arrow  # noqa: E402


def test_columns_share_memory() -> None:
    codes = codes_of(0, 100, 256)
    column = arrow.column(codes)
    assert column.type == pa.binary(32)
    assert column.buffers()[1].address == codes.ctypes.data
    assert [row.as_py() for row in column] == [row.tobytes() for row in codes]
    index = HashIndex(256)
    index.add(column)
    assert np.array_equal(index.get(index.ids()), codes)
    assert arrow.column(np.zeros((0, 8), np.uint8)).type == pa.binary(8)
    with pytest.raises(TypeError, match="pack"):
        arrow.column(np.zeros((2, 64)))  # type: ignore[arg-type]


@pytest.mark.parametrize("n_bits", [64, 63])
def test_an_index_there_and_back(tmp_path: Path, n_bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "BLOCK", 40)
    index = HashIndex(n_bits)
    index.add(codes_of(1, 90, n_bits), ids=np.arange(90) * 3)
    index.remove([0, 9])
    arrow.write_parquet(index, tmp_path / "a.parquet")
    again = arrow.read_parquet(tmp_path / "a.parquet")
    assert again.n_bits == n_bits
    assert np.array_equal(again.ids(), index.ids())
    assert np.array_equal(again.get(again.ids()), index.get(index.ids()))
    assert parquet.read_table(tmp_path / "a.parquet").equals(arrow.table(index), check_metadata=True)
    counted = arrow.read_parquet(tmp_path / "a.parquet", id_column="id")
    assert len(counted) == 88


def test_a_column_of_ids_that_are_none_can_be_passed_over(tmp_path: Path) -> None:
    codes = codes_of(7, 3)
    parquet.write_table(pa.table({"id": ["x", "y", "z"], "code": arrow.column(codes)}), tmp_path / "a.parquet")
    with pytest.raises(TypeError, match="holds string, expected integers; .* with id_column=False ids count from 0"):
        arrow.read_parquet(tmp_path / "a.parquet")
    index = arrow.read_parquet(tmp_path / "a.parquet", id_column=False)
    assert np.array_equal(index.get([0, 1, 2]), codes)
    with pytest.raises(ValueError, match="none named ''"):
        arrow.read_parquet(tmp_path / "a.parquet", id_column="")


def test_what_is_written_is_of_one_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is removed meanwhile."""
    codes = codes_of(8, 90)
    with HashIndex.open(tmp_path / "store", 64) as store:
        store.add(codes, payloads=list(range(90)))
        look = HashIndex._in_id_order

        def meanwhile(index: HashIndex) -> Any:
            ids, blocks = look(index)
            store.remove(np.arange(80))
            return ids, blocks

        for write in (arrow.write_parquet, lambda index, path: parquet.write_table(arrow.table(index), path)):
            monkeypatch.setattr(HashIndex, "_in_id_order", meanwhile)
            write(store, tmp_path / "a.parquet")
            monkeypatch.undo()
            table = parquet.read_table(tmp_path / "a.parquet")
            assert table["id"].to_pylist() == list(range(90))
            assert table["code"].to_pylist() == [row.tobytes() for row in codes]
            assert table["payload"].to_pylist() == [None] * 80 + [str(i) for i in range(80, 90)]
            store.add(codes[:80], ids=np.arange(80))


def test_what_a_store_notes(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as store:
        store.add(codes_of(2, 3), keys=["a", None, "c"], payloads=[{"n": 1}, None, "x"])
        rows = arrow.table(store).select(["id", "key", "payload"]).to_pylist()
    assert rows == [
        {"id": 0, "key": "a", "payload": '{"n": 1}'},
        {"id": 1, "key": None, "payload": None},
        {"id": 2, "key": "c", "payload": '"x"'},
    ]


def test_matches_as_tables() -> None:
    codes = codes_of(3, 500, 16)
    index = HashIndex(16)
    index.add(codes)
    hits = arrow.matches_table(index.search(codes[:9], radius=2)).to_pylist()
    assert [(row["query"], row["distance"], row["id"]) for row in hits] == [
        (query, int(distance), int(one))
        for query in range(9)
        for distance, one in zip(*index.search(codes[query], radius=2)[1:], strict=True)
    ]
    near = arrow.matches_table(index.search(codes[:9], k=600, radius=1)).to_pylist()
    assert near == [row for row in hits if row["distance"] <= 1]
    with pytest.raises(TypeError, match="of one query"):
        arrow.matches_table(index.search(codes[0], k=1))


def test_duckdb_reads_and_agrees(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    codes = codes_of(4, 300)
    index = HashIndex(64)
    index.add(codes)
    arrow.write_parquet(index, tmp_path / "a.parquet")
    query = "".join(f"{byte:08b}" for byte in codes[7])
    rows = duckdb.sql(
        f"SELECT bit_count(xor(code::BIT, '{query}'::BIT)) AS distance, id "
        f"FROM '{tmp_path / 'a.parquet'}' ORDER BY distance, id LIMIT 5"
    ).fetchall()
    assert rows == list(zip(*(part.tolist() for part in index.search(codes[7], k=5)), strict=True))
    table_of_codes = arrow.table(index)  # by its name in the query
    assert duckdb.sql("SELECT code FROM table_of_codes WHERE id = 3").fetchall() == [(codes[3].tobytes(),)]
    del table_of_codes


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no Parquet")
    with pytest.raises(ValueError, match="text: is no Parquet file"):
        arrow.read_parquet(tmp_path / "text")
    parquet.write_table(pa.table({"hash": ["00ff"]}), tmp_path / "text.parquet")
    with pytest.raises(ValueError, match="has the columns hash, none named 'code'"):
        arrow.read_parquet(tmp_path / "text.parquet")
    with pytest.raises(TypeError, match="to_pylist"):
        arrow.read_parquet(tmp_path / "text.parquet", code_column="hash")
    with pytest.raises(FileNotFoundError):
        arrow.read_parquet(tmp_path / "none")
    with pytest.raises(ValueError, match="no width yet"):
        arrow.table(HashIndex())
    codes = pa.array([b"12345678", b"87654321"], pa.binary(8))
    for ids, metadata, error, message in (
        (["a", "b"], {}, TypeError, "a.parquet: the column 'id', of ids, holds string, expected integers"),
        ([0.5, 1.0], {}, TypeError, "a.parquet: the column 'id', of ids, holds double"),
        ([None, 1], {}, ValueError, "a.parquet: the column 'id', of ids, has 1 nulls"),
        ([1, 1], {}, ValueError, "a.parquet: id 1 is given twice"),
        ([0, 1], {"hashindex.n_bits": "63"}, ValueError, "a.parquet: codes: row 1: the last 1 bits"),
        ([0, 1], {"hashindex.n_bits": "many"}, ValueError, "a.parquet: its metadata say that codes have 'many' bits"),
        ([0, 1], {"hashindex.n_bits": "0"}, ValueError, "a.parquet: its metadata say that codes have '0' bits"),
    ):
        table = pa.table({"id": ids, "code": codes}).replace_schema_metadata(metadata)
        parquet.write_table(table, tmp_path / "a.parquet")
        with pytest.raises(error, match=message):
            arrow.read_parquet(tmp_path / "a.parquet")
    for wrong in (np.zeros((2, 0), np.uint8), np.array(3, np.uint8)):
        with pytest.raises(ValueError, match=r"n_bits must be between|got shape \(\)"):
            arrow.column(wrong)
    index = HashIndex(8)
    scored = index.search(np.zeros((1, 1), np.uint8), k=1, rescore=np.ones((1, 8)))
    with pytest.raises(TypeError, match="must be RadiusMatches or NearestMatches, got ScoredMatches"):
        arrow.matches_table(scored)  # type: ignore[arg-type]
    nulls = pa.array([b"12345678", None], pa.binary(8))
    parquet.write_table(pa.table({"code": nulls}), tmp_path / "nulls.parquet")
    with pytest.raises(ValueError, match="1 nulls"):
        arrow.read_parquet(tmp_path / "nulls.parquet")
    assert hx.from_hex(parquet.read_table(tmp_path / "text.parquet")["hash"].to_pylist()).tolist() == [[0, 255]]
