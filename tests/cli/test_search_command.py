"""``hashindex search``: many hits, and what fails while they are written."""

from __future__ import annotations

import errno
import json
from itertools import pairwise
from typing import Any

import pytest

import hashindex as hx
from commands import CODES, Run


def test_parquet_of_hits(run: Run, store: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run("search", store, "-k", 1, "hashes.txt", "-o", "hits.parquet")[:2] == (0, "")
    rows = parquet.read_table("hits.parquet").to_pylist()
    expected = {"query": "img/49.jpg", "distance": 0, "id": 49, "key": None, "payload": "img/49.jpg"}
    assert (len(rows), rows[49]) == (50, expected)


def test_many_hits_are_found_and_written_in_parts(run: Run, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [["search", store, "hashes.txt", *how, "--to", "json"] for how in (["-k", 20], ["-r", 128], ["-r", 120])]
    whole = [run(*one)[1].splitlines() for one in wanted]
    assert [len(rows) for rows in whole[:1]] == [1000]
    asked: list[int] = []
    search = hx.HashIndex.search

    def counted(index: hx.HashIndex, queries: Any, **how: Any) -> Any:
        asked.append(len(queries))
        return search(index, queries, **how)

    monkeypatch.setattr(hx.HashIndex, "search", counted)
    monkeypatch.setattr("hashindex.cli.search.HITS", 100)
    monkeypatch.setattr("hashindex.cli.search.FEW", 7)
    monkeypatch.setattr("hashindex.cli.listing.BLOCK", 9)
    assert [run(*one)[1].splitlines() for one in wanted] == whole
    assert (asked[:10], sum(asked)) == ([5] * 10, 150)
    assert asked[10] == 2
    assert all(after <= 2 * before for before, after in pairwise(asked[10:]))
    monkeypatch.setattr("hashindex.cli.search.FEW", 1)
    del asked[:]
    assert run("search", store, "hashes.txt", "-r", 0)[0] == 0
    assert asked[:4] == [1, 2, 4, 8]  # however few hits there were, the next may have more
    parquet = pytest.importorskip("pyarrow.parquet")
    with hx.HashIndex.open("mixed", 256) as index:
        payloads = [*range(20), *[None] * 10, *map(str, range(9)), {"a": 1}, 2**70, *[0.5] * 9]
        index.add(CODES, payloads=payloads)
    assert run("search", "mixed", "hashes.txt", "-k", 1, "-o", "hits.parquet")[0] == 0
    rows = parquet.read_table("hits.parquet").to_pylist()
    assert [row["id"] for row in rows] == list(range(50))
    texts = [one if one is None or isinstance(one, str) else json.dumps(one) for one in payloads]
    assert [row["payload"] for row in rows] == texts
    assert {row["key"] for row in rows} == {None}


def test_what_the_store_refuses_is_not_told_as_the_output(
    run: Run, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any) -> None:
        raise OSError(errno.EAGAIN, "another process has locked it for 10 seconds", "store/store.sqlite")

    monkeypatch.setattr("hashindex.index.items.noted.of", locked)
    for output in ([], ["-o", "hits.txt"]):
        status, out, err = run("search", store, "hashes.txt", "-k", 1, *output)
        assert (status, out) == (2, "")
        assert err == "hashindex search: store/store.sqlite: another process has locked it for 10 seconds\n"
