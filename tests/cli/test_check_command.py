"""``hashindex check``: what is damage, and what is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import hashindex as hx
from commands import CODES, Run
from reference import codes_of


def test_damage_is_found(run: Run, store: str) -> None:
    assert run("convert", store, "-o", "a.hxi")[0] == 0
    whole = Path("a.hxi").read_bytes()
    assert run("check", "a.hxi")[0] == 0
    for place in (len(whole) - 100, whole.index(CODES[7].tobytes())):
        data = bytearray(whole)
        data[place] ^= 1
        Path("a.hxi").write_bytes(data)
        status, out, err = run("check", "a.hxi")
        assert (status, out) == (1, "")
        assert err.startswith("damaged: ")


def test_a_segment_that_is_gone_is_damage(run: Run) -> None:
    with hx.HashIndex.open("big", 64) as index:
        index.add(codes_of(0, 20_000))
    next(Path("big/segments").iterdir()).unlink()
    status, out, err = run("check", "big")
    assert (status, out) == (1, "")
    assert "00000001.hxs: the segment is gone, and " in err
    assert err.startswith("damaged: ")


def test_a_segment_or_a_database_of_something_else_is_damage(run: Run) -> None:
    with hx.HashIndex.open("big", 64) as index:
        index.add(codes_of(0, 20_000))
    segment, database = next(Path("big/segments").iterdir()), Path("big/store.sqlite")
    for path in (segment, database):
        whole = path.read_bytes()
        for damaged in (b"", bytes(len(whole)) if path == segment else b"", bytes(4096) + whole[4096:]):
            path.write_bytes(damaged)
            status, out, err = run("check", "big")
            assert (status, out) == (1, "")
            assert err.startswith("damaged: ")
        path.write_bytes(whole)
    assert run("check", "big")[0] == 0
    Path("empty.hxi").write_bytes(b"")
    assert run("check", "empty.hxi")[0] == 1


def test_what_cannot_be_checked_is_not_told_as_damage(run: Run, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.hxi", "a.npy", "a.faiss"):
        assert run("convert", store, "-o", name)[0] == 0
    Path("newer.hxi").write_bytes(Path("a.hxi").read_bytes().replace(b"\1\0\0\0hxi", b"\7\0\0\0hxi", 1))
    Path("ivf.faiss").write_bytes(b"IBwF" + Path("a.faiss").read_bytes()[4:])
    for name, what in (
        ("a.npy", "a.npy is no file of hashindex: it begins with"),
        ("newer.hxi", "newer.hxi is format version 7, and this hashindex reads up to 1"),
        ("ivf.faiss", "ivf.faiss: IBwF is an IndexBinaryIVF"),
    ):
        status, out, err = run("check", name)
        assert (status, out) == (2, "")
        assert err.startswith(f"hashindex check: {what}")
    with sqlite3.connect(f"{store}/store.sqlite") as database:
        database.execute("PRAGMA user_version = 9")
    assert run("check", store)[0] == 2
    monkeypatch.setenv("HASHINDEX_ENGINE", "none")
    assert run("check", "a.hxi")[0] == 2
