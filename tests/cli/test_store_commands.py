"""Commands over stores: from files of hashes to hits, and everything that can be wrong with them."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hashindex as hx
from hashindex.cli import hash_files
from hashindex.cli import main as cli
from reference import codes_of

CODES = codes_of(3, 50, 256)
LINES = [f"{text}\timg/{i}.jpg" for i, text in enumerate(hx.to_hex(CODES))]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in a folder of its own: exit status, standard output and error."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            status = cli.main([str(one) for one in arguments])
        except SystemExit as error:
            status = int(error.code or 0)
        told = capsys.readouterr()
        return status, told.out, told.err

    return command


@pytest.fixture
def store(run: Run) -> str:
    Path("hashes.txt").write_text("\ufeff# PDQ\n\n" + "\r\n".join(LINES) + "\n")
    assert run("build", "hashes.txt", "-o", "store") == (0, "store: 50 codes of 256 bits\n", "")
    return "store"


def test_from_hashes_to_hits(run: Run, store: str) -> None:
    near = CODES[[3, 7]] ^ np.eye(1, 32, dtype=np.uint8)
    queries = "".join(f"{text}\n" for text in hx.to_hex(near))
    assert run("search", store, "--radius", 31, stdin=queries)[:2] == (0, "1\t1\t3\timg/3.jpg\n2\t1\t7\timg/7.jpg\n")
    named = queries.replace("\n", ",cat\n", 1)
    status, out, _ = run("search", store, "-k", 2, "--to", "json", stdin=named)
    rows = [json.loads(line) for line in out.splitlines()]
    expected = hx.HashIndex.open(store, mode="r").search(near, k=2)
    assert status == 0
    assert [row["id"] for row in rows] == expected.ids.ravel().tolist()
    assert [row["distance"] for row in rows] == expected.distances.ravel().tolist()
    assert rows[0] == {"query": "cat", "distance": 1, "id": 3, "key": None, "payload": "img/3.jpg"}
    assert run("search", store, "-k", 1, "-r", 0, stdin=queries) == (1, "", "")
    Path("q.txt").write_text(queries)
    assert run("search", store, "-r", 1, "q.txt", "-", stdin=queries)[1].count("\n") == 4


def test_more_codes_and_fewer(run: Run, store: str) -> None:
    more = "".join(f"{text} key{i}\n" for i, text in enumerate(hx.to_hex(codes_of(4, 5, 256))))
    assert run("add", store, "--keys", stdin=more)[:2] == (0, "store: 5 codes added, 55 in all\n")
    assert run("remove", store, "--keys", "key1", "key3")[1] == "store: 2 codes removed, 53 left\n"
    assert run("remove", store, "-", stdin="0\n1\n")[1] == "store: 2 codes removed, 51 left\n"
    assert run("remove", store, 0)[0::2] == (2, "hashindex remove: id 0 is not in the index; nothing was changed\n")
    assert run("remove", store, 0, 2, "--ignore-missing")[0] == 0
    assert "codes              50\n" in run("info", store)[1]
    status, out, err = run("check", store)
    assert (status, err) == (0, "")
    assert "all is well; 50 codes of 256 bits" in out


def test_no_codes_give_an_index_no_width(run: Run) -> None:
    hx.HashIndex.open("new").close()
    assert run("add", "new")[:2] == (0, "new: 0 codes added, 0 in all\n")
    assert run("add", "new", stdin="00ff a\n")[:2] == (0, "new: 1 codes added, 1 in all\n")


def test_digits_0_and_1_are_hexadecimal_where_nothing_else_is_meant(run: Run) -> None:
    hx.HashIndex.open("new", 16).close()
    assert run("add", "new", stdin="0101\n")[0] == 0  # one code may be so by chance
    assert run("add", "new", stdin="0000\n0000\n")[0] == 0  # of pictures of one colour
    assert run("add", "new", "--kind", "hex", stdin="0101\n0110\n")[0] == 0
    assert run("add", "new", "--n-bits", 16, stdin="0101\n0110\n")[0] == 0
    assert len(hx.HashIndex.open("new", mode="r")) == 7


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


def test_a_second_writer_is_told_what_to_do(run: Run, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = f"process ({os.getpid()}) has it open for writing, and a store has one writer: wait until it has ended;"
    with hx.HashIndex.open(store):
        status, out, err = run("add", store, stdin=hx.to_hex(CODES)[0])
    assert (status, out, told in err, "mode=" in err) == (2, "", True, False)
    pytest.importorskip("PIL")
    monkeypatch.setenv("HASHINDEX_CACHE", "cache")
    Path("photos").mkdir()
    assert run("dedup", "photos", "--hash", "dhash")[0] == 0
    with hx.HashIndex.open(next(Path("cache/images").iterdir())):
        status, out, err = run("dedup", "photos", "--hash", "dhash")
    assert (status, out) == (2, "")
    assert f"photos: this process ({os.getpid()}) hashes its pictures by dhash: wait until that has ended" in err


def test_other_columns_and_kinds(run: Run) -> None:
    vpdq = "".join(f"{i},100,{text},{i / 2}\n" for i, text in enumerate(hx.to_hex(CODES)))
    assert run("build", "--column", 3, "-o", "frames", stdin=vpdq)[0] == 0
    frames = hx.HashIndex.open("frames", mode="r")
    assert np.array_equal(frames.get(frames.ids()), CODES)
    assert frames.payloads([2]) == ["2,100,1.0"]
    signed = codes_of(1, 9).view(">i8").ravel()
    assert run("build", "--kind", "int", "-o", "ints", stdin="".join(f"{one}\n" for one in signed))[0] == 0
    assert np.array_equal(hx.HashIndex.open("ints", mode="r").get(range(9)), codes_of(1, 9))
    assert run("build", "--n-bits", 25, "--align", "right", "-o", "odd", stdin="1ffffff\n")[0] == 0
    assert hx.HashIndex.open("odd", mode="r").get(0).tolist() == [255, 255, 255, 128]


def test_files_that_a_writer_removes_are_not_counted(run: Run, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = run("info", store)
    look = Path.rglob

    def late(path: Path, pattern: str) -> Any:
        yield path / "gone"
        yield from look(path, pattern)

    monkeypatch.setattr(Path, "rglob", late)
    monkeypatch.setattr(Path, "is_file", lambda path: path.name in ("gone", "store.sqlite"))
    assert run("info", store) == told


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


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["build", "-o", "store"], "", "store: holds a store already; hashindex add adds to it"),
        (["build", "-o", "."], "", "is not empty"),
        (["build", "no.txt", "-o", "new"], "", "no.txt: No such file or directory"),
        (["build", "-o", "new"], "00ff\n\n00fg\n", "standard input, line 3: not hexadecimal: '00fg'"),
        (["build", "-o", "new"], "0101\n0000\n", "two ways"),
        (["build", "-o", "new"], "# nothing\n", "there are no codes to make a store of"),
        (["build", "-o", "new", "--n-bits", "0"], "00ff\n", "n_bits must be between 1"),
        (["build", "none.npy", "-o", "new"], "", "none.npy: is no .npy file of numbers"),
        (["build", "zip.npy", "-o", "new"], "", "zip.npy: is no .npy file of numbers"),
        (["build", "-o", "new"], "0ff\na,row 99\n", "line 2: 12 bits take 3 or 4 hexadecimal digits, got 1"),
        (["build", "-o", "new", "--separator", "commas", "--column", "2"], "a,row 99\n", "not hexadecimal: 'row 99'"),
        (["build", "-o", "new", "--column", "9" * 20], "00ff a\n", "--column 9+ is missing"),
        (["add", "binary"], "0101\n0110\n", "digits 0 and 1 alone can be read in two ways: --kind bits or --kind"),
        (["build", "-o", "new", "--kind", "int"], "5\n\nfive\n", "standard input, line 3: not an integer: 'five'"),
        (["build", "-o", "new", "--kind", "int", "--n-bits", "8"], "-128\n-129\n", "line 2: -129 does not fit 8"),
        (["build", "-o", "new", "--keys"], "00ff a\n00fe a\n", "given twice"),
        (["build", "-o", "new", "--column", "3"], "00ff a\n", "line 1: 2 columns by blanks, --column 3 is missing"),
        (["build", "-o", "new", "--n-bits", "9"], "1ff\n", "line 1: .*--align left takes .* --align right"),
        (["add", "nowhere"], "", "nowhere: holds no store; hashindex build makes one"),
        (["add", "store"], "00ff\n", "line 1: 256 bits take 64 hexadecimal digits, got 4"),
        (["add", "store", "--n-bits", "64"], "", "--n-bits 64: the codes of the index have 256 bits"),
        (["search", "store"], "", "give --radius R .* or -k K"),
        (["search", "store", "-k", "1", "--to", "parquet"], "", "Parquet needs a file: -o FILE"),
        (["search", "store", "-r", "-1"], "ff" * 32, "radius must be at least 0"),
        (["remove", "store", "x"], "", "'x' is no id; --keys removes by key"),
        (["convert", "store", "-o", "file.xyz"], "", "its ending tells no kind; --to does: hxi, faiss, npy"),
        (["check", "nowhere"], "", "is neither a store nor a file"),
        (["info", "nowhere"], "", "is neither a store nor a file; hashindex build makes a store"),
        (["search", "store", "-k", "1", "--what"], "", "unrecognized arguments: --what"),
        (["search", "store", "hashes.txt", "-k", "1", "-o", "hashes.txt"], "", "hashes.txt: the command reads it"),
        (["convert", "store", "-o", "store/store.sqlite", "--to", "hex"], "", "lies in a store, whose files"),
        (["convert", "hashes.txt", "-o", "hashes.txt", "--to", "npy"], "", "hashes.txt: the command reads it"),
        (["convert", "store", "-o", "-", "--to", "npy"], "", "standard output takes hex and bits, not npy; -o FILE"),
        (["convert", "-o", "new", "--to", "hex"], "", "there are no codes to convert; --n-bits says"),
        (
            ["convert", "store", "hashes.txt", "-o", "new.npy"],
            "",
            "store: is an index; hashindex convert store -o codes",
        ),
        (["build", "a.hxi", "-o", "new"], "", "a.hxi: is an index; hashindex convert a.hxi"),
        (["build", "-o", "-"], "00ff\n", "a store is a folder, which standard output is not"),
        (["build", "-o", "new", "--kind", "bits"], "01\nab\n", "line 2: not digits 0 and 1: 'ab'; --kind hex reads"),
        (["build", "-o", "new", "--n-bits", "7", "--align", "left"], "ff\n", "line 1: the last 1 bits .*; --n-bits 8 "),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(
    run: Run, store: str, arguments: list[str], stdin: str, message: str
) -> None:
    Path("none.npy").touch()
    Path("zip.npy").write_bytes(b"PK\3\4 and no more")
    hx.HashIndex.open("binary", 16).close()
    status, out, err = run(*arguments, stdin=stdin)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) <= 2
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(err)
    assert not Path("new").exists()
    assert run("check", store)[0] == 0
    assert len(hx.HashIndex.open(store, mode="r")) == 50


def test_build_leaves_what_it_did_not_make(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may make the folder, or a store in it, while the hashes are read."""
    Path("codes.txt").write_text("00ff a\n00fe b\n")
    read = hash_files.read

    def meanwhile(*given: Any) -> hash_files.Hashes:
        Path("new").mkdir()
        Path("new/mine.txt").write_text("precious")
        return read(*given)

    monkeypatch.setattr(hash_files, "read", meanwhile)
    status, _, err = run("build", "codes.txt", "-o", "new")
    assert (status, "is not empty" in err) == (2, True)
    assert sorted(path.name for path in Path().iterdir()) == ["codes.txt", "new"]
    assert [path.name for path in Path("new").iterdir()] == ["mine.txt"]
    assert Path("new/mine.txt").read_text() == "precious"


def test_build_fills_an_empty_folder_that_is_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Itself: a disk may be mounted there, and the folder above it may be closed."""
    Path("there").mkdir(mode=0o750)
    before = Path("there").stat()
    assert run("build", "--keys", "-o", "there", stdin="00ff a\n00fe a\n")[0] == 2
    assert list(Path("there").iterdir()) == []
    with monkeypatch.context() as patch:
        replace = Path.replace

        def refused(path: Path, to: Path) -> Path:
            if path.name == "store.sqlite":
                raise OSError(errno.EIO, "Input/output error", str(path))
            return replace(path, to)

        patch.setattr(Path, "replace", refused)
        assert run("build", "-o", "there", stdin="00ff\n")[0] == 2
    assert not Path("there/segments").exists()
    assert run("build", "--keys", "-o", "there", stdin="00ff a\n00fe b\n")[:2] == (0, "there: 2 codes of 16 bits\n")
    after = Path("there").stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert sorted(path.name for path in Path("there").iterdir()) == ["segments", "store.sqlite", "writer.lock"]
    assert run("check", "there")[0] == 0
    assert run("add", "there", stdin="00fd\n")[1] == "there: 1 codes added, 3 in all\n"
    assert run("build", "-o", "there", stdin="00ff\n")[0] == 2


@pytest.mark.parametrize("is_there", [False, True])
def test_build_where_nothing_can_be_written_names_the_folder_that_was_given(
    run: Run, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    mkdir = Path.mkdir

    def refused(path: Path, *given: Any, **named: Any) -> None:
        if "new" in path.name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        mkdir(path, *given, **named)

    if is_there:
        Path("there").mkdir()
    monkeypatch.setattr(Path, "mkdir", refused)
    status, _, err = run("build", "-o", "there", stdin="00ff\n")
    assert (status, err) == (2, "hashindex build: there: cannot be opened for writing (Permission denied)\n")


def test_odd_lines_and_notes(run: Run) -> None:
    assert run("build", "--column", 2, "-o", "t", stdin="\t00ff\t00fe\nn\t00fd\t00fc\n")[0] == 0
    index = hx.HashIndex.open("t", mode="r")
    assert hx.to_hex(index.get([0, 1])) == ["00ff", "00fd"]
    with hx.HashIndex.open("noted", 63) as noted:
        noted.add(hx.from_hex(["00" * 7 + "02"] * 2, 63, align="left"), payloads=[{"a": 1}, "two\nlines"])
    assert run("convert", "noted", "-o", "a.txt")[0] == 0
    assert Path("a.txt").read_text().splitlines()[1].endswith("\ttwo lines")
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"code": ["00ff", "00fe"], "note": ["a\n00fd\r\nb\tc", "d"]}), "lines.parquet")
    assert run("convert", "lines.parquet", "-o", "-")[1] == "00ff\ta 00fd  b\tc\n00fe\td\n"
    assert run("convert", "noted", "-o", "a.parquet")[0] == 0
    assert run("build", "a.parquet", "-o", "again")[1] == "again: 2 codes of 63 bits\n"
    assert run("search", "noted", "a.parquet", "-k", 2, "-o", "hits.parquet")[0] == 0
    assert run("remove", "noted", 0, 1)[0] == 0
    assert run("search", "noted", "a.parquet", "-k", 2, "-o", "hits.parquet")[0] == 1
    assert pytest.importorskip("pyarrow.parquet").read_table("hits.parquet").num_rows == 0


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


def test_doctor_tells_what_is_slow(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hashindex._core")
    monkeypatch.setenv("HASHINDEX_ISA", "scalar")
    status, out, _ = run("doctor")
    assert status == 1
    assert "slow  ISA" in out
    assert "HASHINDEX_ISA=scalar" in out
    monkeypatch.delenv("HASHINDEX_ISA")
    assert "slow  ISA          scalar, as" not in run("doctor")[1]


def test_completion_is_a_script(run: Run) -> None:
    pytest.importorskip("shtab")
    status, script, _ = run("completion", "bash")
    assert status == 0
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    for name in ("dedup", "--radius", "--align"):
        assert name in script


def test_train_and_encode_pictures(run: Run) -> None:
    pytest.importorskip("torch")
    image_module = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for i in range(16):
        path = Path("pictures") / ("dark" if i % 2 else "light") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image_module.fromarray(rng.integers(0, 99, (9, 8, 3), dtype=np.uint8) + np.uint8(156 * (i % 2 == 0))).save(path)
    train = ["train", "pictures", "-o", "model", "--n-bits", 12, "--size", 8, "--steps", 4]
    status, out, err = run(*train)
    assert (status, err) == (0, "")
    assert out.startswith("model: codes of 12 bits, of 16 pictures of 2 classes; loss ")
    status, rows, _ = run("encode", "model", "pictures")
    assert status == 0
    assert [row.split("\t")[1] for row in rows.splitlines()][:2] == ["dark/1.png", "dark/11.png"]
    assert run("build", "--n-bits", 12, "--align", "left", "--keys", "-o", "coded", stdin=rows)[0] == 0
    assert hx.HashIndex.open("coded", mode="r").find(["light/0.png"]).tolist() == [8]
    shutil.copytree("pictures/dark", "flat")
    assert "lies in no folder" in run("train", "flat", "-o", "model")[2]
    shutil.rmtree("pictures/light")
    assert "all pictures are of the class 'dark'" in run("train", "pictures", "-o", "model")[2]
    assert run("encode", "nothing", "pictures")[0] == 2


def test_dedup_writes_groups_and_page(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    monkeypatch.setenv("HASHINDEX_CACHE", str(tmp_path / "cache"))
    Path("photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    picture = image_module.fromarray(pixels).resize((120, 120), 3)
    picture.save("photos/large.png")
    picture.resize((60, 60)).save("photos/small.png")
    Path("photos/broken.jpg").write_text("no picture")
    for i, size in enumerate([(1, 5), (1, 5), (8, 200)]):
        image_module.fromarray(pixels[i, i].reshape(1, 1, 3)).resize(size).save(f"photos/tiny{i}.png")
    arguments = ["dedup", "photos", "--hash", "dhash", "--json", "alike.json", "--page", "alike.html"]
    for n_hashed in (5, 0):
        status, out, _ = run(*arguments)
        assert status == 0
        assert out.startswith("photos/large.png\nphotos/small.png\n\ncannot be read: photos/broken.jpg: ")
        told = json.loads(Path("alike.json").read_text())
        assert told["groups"] == [["photos/large.png", "photos/small.png"]]
        small = {"photos/tiny0.png": [1, 5], "photos/tiny1.png": [1, 5], "photos/tiny2.png": [8, 200]}
        assert told["too_small"] == small
        assert "too small: photos/tiny0.png: 1 x 5 pixels, dhash needs 9 a side\n" in out
        assert out.endswith("; 3 too small\n")
        assert (told["hashed_now"], list(told["unreadable"])) == (n_hashed, ["photos/broken.jpg"])
    page = Path("alike.html").read_text()
    assert "1 group of pictures that look alike" in page
    assert page.count("data:image/jpeg") == 2
    kept = Path("photos/large.png").read_bytes()
    Path("link.html").symlink_to("photos/large.png")
    for option, name in (("--page", "photos/large.png"), ("--json", "link.html"), ("--json", "new.JPG")):
        status, _, err = run("dedup", "photos", option, name)
        assert (status, f"{option} {name}: has the ending of a picture" in err) == (2, True)
    assert Path("photos/large.png").read_bytes() == kept
    assert run("dedup", "nowhere")[0::2] == (2, "hashindex dedup: nowhere: is no folder\n")
