"""Commands over stores: from files of hashes to hits, and everything that can be wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hashindex as hx
from commands import CODES, Run
from reference import codes_of


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
