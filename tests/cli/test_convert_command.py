"""``hashindex convert``: there and back between kinds of files, and what a kind has no place for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hashindex as hx
from commands import CODES, LINES, Run


@pytest.mark.parametrize("kind", ["npy", "parquet", "txt", "bits", "hxi", "faiss"])
def test_there_and_back(run: Run, store: str, kind: str) -> None:
    pytest.importorskip("pyarrow")
    assert run("convert", store, "-o", f"a.{kind}")[0] == 0
    read_as = ["--kind", "bits"] if kind == "bits" else []
    assert run("convert", f"a.{kind}", *read_as, "-o", "b.npy")[0] == 0
    assert np.array_equal(np.load("b.npy"), CODES)
    if kind in ("parquet", "txt", "bits"):
        assert run("build", f"a.{kind}", *read_as, "-o", "again")[0] == 0
        assert hx.HashIndex.open("again", mode="r").payloads([49]) == ["img/49.jpg"]


@pytest.mark.parametrize("kind", ["npy", "hxi", "faiss"])
def test_what_a_file_has_no_place_for_is_told_and_not_read(
    run: Run, store: str, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for source in (store, "hashes.txt"):
        with monkeypatch.context() as patch:
            patch.setattr(hx.HashIndex, "_items", lambda *_: pytest.fail("nobody asked for notes"))
            status, out, err = run("convert", source, "-o", f"a.{kind}")
        assert (status, out) == (0, f"a.{kind}: 50 codes of 256 bits\n")
        assert err == f"a.{kind}: what is noted with the codes is left out; Parquet and text have it\n"
    assert run("convert", f"a.{kind}", "-o", f"b.{kind}")[2] == ""
    assert run("convert", store, "-o", "a.txt")[2] == ""


def test_columns_that_are_not_read_are_named(run: Run) -> None:
    arrow = pytest.importorskip("hashindex.connect.arrow")
    pytest.importorskip("pyarrow")
    with hx.HashIndex.open("keyed", 256) as index:
        index.add(CODES, keys=map(str, range(50)))
        arrow.write_parquet(index, "keyed.parquet")
    status, _, err = run("build", "keyed.parquet", "-o", "again")
    assert (status, err) == (0, "keyed.parquet: id, key, payload left out: columns 'code' and 'note' are read\n")


def test_text_to_standard_output(run: Run, store: str) -> None:
    assert run("convert", store, "-o", "-") == (0, "".join(f"{line}\n" for line in LINES), "")
    bits = run("convert", store, "-o", "-", "--to", "bits")[1]
    assert run("convert", "--kind", "bits", "-o", "-", stdin=bits)[1] == "".join(f"{line}\n" for line in LINES)
    found = run("search", store, "-k", 1, "hashes.txt")
    assert run("search", store, "-k", 1, "hashes.txt", "-o", "-") == found
    assert not Path("-").exists()
