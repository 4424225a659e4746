"""What is no store, or not the one that was meant, is refused with a reason, and left as it was."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.store import checking
from hashindex.store.manifest import Manifest
from reference import codes_of


def listing(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, but what SQLite keeps while it reads."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if not path.name.endswith(("-shm", "-wal"))
    }


def made(folder: Path) -> Path:
    with HashIndex.open(folder, 64) as index:
        index.add(codes_of(0, 20_000))
        index.add(codes_of(1, 10))
        index.remove([1, 20_001])
    return folder


def with_sql(statement: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        database = sqlite3.connect(folder / "store.sqlite")
        database.execute(statement)
        database.commit()
        database.close()

    return change


def overwrite(name: str, at: int, data: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / name).open("rb+") as file:
            file.seek(at)
            file.write(data)

    return change


SEGMENT = "segments/00000001.hxs"
DAMAGE: dict[str, tuple[Callable[[Path], None], type[Exception], str]] = {
    "newer": (with_sql("PRAGMA user_version = 2"), ValueError, "has format 2, and this hashindex knows format 1"),
    "another's": (with_sql("PRAGMA application_id = 7"), ValueError, "database of something else"),
    "a trigger": (with_sql("CREATE VIEW v AS SELECT 1"), ValueError, "tables are not those of a store"),
    "no state": (with_sql("DELETE FROM state"), ValueError, "is no state of a store"),
    "a wild state": (with_sql("UPDATE state SET next_id = 'x'"), ValueError, "is no state of a store"),
    "a wild log": (with_sql("UPDATE log SET ids = -5 WHERE ids IS NOT NULL"), ValueError, "a row of the log"),
    "a torn log": (with_sql("UPDATE log SET codes = x'0102' WHERE codes IS NOT NULL"), ValueError, "a row of the log"),
    "wild tombstones": (
        with_sql("UPDATE tombstones SET rows = x'ffffffff', crc = 4294967295"),
        ValueError,
        "a tombstone is of no row",
    ),
    "torn tombstones": (with_sql("UPDATE tombstones SET rows = x'ff'"), ValueError, "damaged"),
    "a wild segment": (with_sql("UPDATE segments SET number = -1"), ValueError, "is numbered -1"),
    "a missing segment": (lambda folder: (folder / SEGMENT).unlink(), FileNotFoundError, "the segment is gone"),
    "flipped codes": (
        with_sql("UPDATE log SET codes = zeroblob(length(codes))"),
        ValueError,
        "is not what was written",
    ),
    "flipped ids": (with_sql("UPDATE log SET ids = ids + 1"), ValueError, "is not what was written"),
    "flipped tombstones": (
        with_sql("UPDATE tombstones SET rows = x'02000000'"),
        ValueError,
        "are not what was written",
    ),
    "a lost row": (with_sql("DELETE FROM tombstones"), ValueError, "20,009 codes are there, and 20,008 were written"),
    "a lost segment": (with_sql("DELETE FROM segments"), ValueError, "are there, and 20,008 were written"),
    "no segment": (overwrite(SEGMENT, 0, b"GIF89a  "), ValueError, r"00000001\.hxs"),
    "no database": (overwrite("store.sqlite", 0, b"GIF89a  "), ValueError, "is no SQLite database"),
    "a damaged database": (overwrite("store.sqlite", 4096, b"\xff" * 4096 * 6), ValueError, r"store\.sqlite"),
}


@pytest.mark.parametrize("mode", ["w", "r"])
@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_refused(tmp_path: Path, what: str, mode: str) -> None:
    folder = made(tmp_path / "store")
    damage, error, message = DAMAGE[what]
    damage(folder)
    before = listing(folder)
    with pytest.raises(error, match=message):
        HashIndex.open(folder, mode=mode)  # type: ignore[arg-type]
    assert listing(folder) == before
    with pytest.raises(error):  # and nobody holds the lock
        HashIndex.open(folder)


def test_what_is_not_a_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"x")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    before = listing(tmp_path)
    for mode in ("w", "r"):
        with pytest.raises(ValueError, match=r"photos is no store: there is no store\.sqlite among cat\.jpg"):
            HashIndex.open(tmp_path / "photos", 64, mode=mode)
        with pytest.raises(NotADirectoryError, match="this is a file"):
            HashIndex.open(tmp_path / "file", 64, mode=mode)
    for name in ("empty", "missing"):
        with pytest.raises(FileNotFoundError, match="mode='w' makes one"):
            HashIndex.open(tmp_path / name, mode="r")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        HashIndex.open(tmp_path / "missing" / "store", 64)
    with pytest.raises(TypeError, match="form"):
        HashIndex.open(tmp_path / "new", 64, meta={"a": {1}})
    with pytest.raises(ValueError, match="between 1 and"):
        HashIndex.open(tmp_path / "new", 0)
    assert listing(tmp_path) == before
    HashIndex.open(tmp_path / "empty", 64).close()


def test_another_width_or_meta(tmp_path: Path) -> None:
    HashIndex.open(tmp_path / "store", 64, meta={"encoder": "a"}).close()
    with pytest.raises(ValueError, match="holds codes of 64 bits, not 128"):
        HashIndex.open(tmp_path / "store", 128)
    with pytest.raises(ValueError, match="encoder"):
        HashIndex.open(tmp_path / "store", meta={"encoder": "b"})
    with HashIndex.open(tmp_path / "store", 64, meta={"encoder": "a"}) as index:
        assert index.meta == {"encoder": "a"}


def test_a_close_that_ctrl_c_ends_can_be_called_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = HashIndex.open(tmp_path / "store", 64)
    index.add(codes_of(0, 5))
    close = Manifest.close

    def interrupted(manifest: Manifest) -> None:
        close(manifest)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "close", interrupted)
        with pytest.raises(KeyboardInterrupt):
            index.close()
    with pytest.raises(ValueError, match="was closed"):
        index.add(codes_of(1, 5))
    index.close()
    with HashIndex.open(tmp_path / "store") as again:
        assert len(again) == 5


@pytest.mark.parametrize("meta", ["[1]", "{", "[" * 100_000, '{"a": NaN}'])
def test_meta_that_is_none_is_damage(tmp_path: Path, meta: str) -> None:
    made(tmp_path / "store")
    with sqlite3.connect(tmp_path / "store" / "store.sqlite") as database:
        database.execute("UPDATE state SET meta = ?", [meta])
    database.close()
    with pytest.raises(ValueError, match=r"store\.sqlite is damaged"):
        HashIndex.open(tmp_path / "store", meta={"a": 1})


def test_a_closed_index_and_a_reader_say_so(tmp_path: Path) -> None:
    index = HashIndex.open(tmp_path / "store", 64)
    index.add(codes_of(0, 5))
    reader = HashIndex.open(tmp_path / "store", mode="r")
    for change in (
        lambda: reader.add(codes_of(0, 1)),
        lambda: reader.remove([0]),
        lambda: reader.clear(),
        lambda: reader.compact(),
        lambda: reader.batch().__enter__(),
    ):
        with pytest.raises(OSError, match=r"open for reading here.*mode='w'"):
            change()
    assert len(reader) == 5
    reader.close()
    index.close()
    index.close()
    for use in (
        lambda: len(index),
        lambda: index.search(codes_of(0, 1), k=1),
        lambda: index.add(codes_of(0, 1)),
        lambda: reader.refresh(),
        lambda: reader.find(["a"]),
        lambda: index.batch().__enter__(),
        lambda: index.compact(),
        lambda: index.check(),
        lambda: index.save(tmp_path / "a.hxi"),
        lambda: index.ids(),
        lambda: index.add(codes_of(0, 1), keys=["a"]),
    ):
        with pytest.raises(ValueError, match=r"was closed; HashIndex\.open\(\) opens the store again"):
            use()
    assert repr(index) == "HashIndex(closed)"
    in_memory = HashIndex(64)
    in_memory.close()
    with pytest.raises(ValueError, match="was closed; make another"):
        len(in_memory)


def test_a_second_writer_learns_who_the_first_is(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as index:
        with pytest.raises(BlockingIOError, match=rf"this process \({os.getpid()}\) has it open for writing"):
            HashIndex.open(tmp_path / "store")
        index.add(codes_of(0, 5))
    with HashIndex.open(tmp_path / "store") as index:
        assert len(index) == 5


def test_check_finds_what_opening_does_not_look_at(tmp_path: Path) -> None:
    folder = made(tmp_path / "store")
    with HashIndex.open(folder) as index:
        index.check()
    overwrite(SEGMENT, 1000, b"\0\1\2")(folder)
    with HashIndex.open(folder) as index, pytest.raises(ValueError, match=r"00000001\.hxs is damaged"):
        index.check()
    with_sql("UPDATE state SET next_id = 3")(folder)
    with HashIndex.open(folder) as index, pytest.raises(ValueError, match="would be given out next"):
        index.check()


@pytest.mark.parametrize("when", ["view", "_check_files", "check_snapshot"])
def test_check_of_a_store_that_a_writer_goes_on_changing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Before the files are read, and while they are: what is noted with codes belongs to the same state as they do."""
    folder = made(tmp_path / "store")
    with HashIndex.open(folder) as writer, HashIndex.open(folder, mode="r") as reader:
        look, keys = getattr(checking, when), iter("abcdefg")

        def meanwhile(*given: Any) -> Any:
            found = look(*given)
            if (key := next(keys, None)) is not None:
                writer.add(codes_of(1, 1), keys=[key])
            return found

        monkeypatch.setattr(checking, when, meanwhile)
        reader.check()
        monkeypatch.undo()
        writer.check()
        assert next(keys, None) != "a"
        with_sql("INSERT INTO items VALUES (999999, 'stray', NULL)")(folder)
        with pytest.raises(ValueError, match="a payload of id 999999"):
            reader.check()


def test_check_of_an_index_in_memory() -> None:
    index = HashIndex(60)
    index.add(np.zeros((10, 8), np.uint8))
    index.check()
    index._snapshot.tail.codes[3, 7] = 1
    with pytest.raises(ValueError, match="the tail: codes have bits set"):
        index.check()


def test_a_system_without_file_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(OSError, match=r"POSIX file locks.*save\(\) and load\(\)"):
        HashIndex.open(tmp_path / "store", 64)
