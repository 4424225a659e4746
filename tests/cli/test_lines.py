"""Lines of text that commands read: what is a code in them, whatever separates, ends and encodes them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

import hashindex as hx
from hashindex.cli import main as cli
from hashindex.cli.columns import lines_of, rows_of

Run = Callable[..., tuple[str, str]]
NAME = b"caf\xe9 \xff.jpg"  # as a file system may have it


def columns(text: str, column: int = 1, separator: str | None = None) -> list[tuple[str, str]]:
    return [(row.code, row.note) for row in rows_of(lines_of(text.splitlines(keepends=True)), column, separator, "hex")]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in a folder of its own, with bytes as standard input: what it prints, and its errors."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str | bytes, stdin: bytes = b"") -> tuple[str, str]:
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(stdin), encoding="utf-8", newline="\n"))
        cli.main([os.fsdecode(one) for one in arguments])
        return capsys.readouterr()

    return command


@pytest.mark.parametrize(
    ("text", "column", "separator", "rows"),
    [
        # Each line by itself where the code comes first.
        ("00\n01,cat\n02\tdog, big\n03  two words\n", 1, None, ["00|", "01|cat", "02|dog, big", "03|two words"]),
        ("00 a, b\tc\n01 , d\n 02\n# no\n\n03,\n", 1, None, ["00|a, b\tc", "01|d", "02|", "03|"]),
        # Else what gives a code in every line.
        ("a, b\t00\nc\t01\te, f\n", 2, None, ["00|a, b", "01|c\te, f"]),
        ("b\ta, 00\nc,01,e\n", 2, None, ["00|b\ta", "01|c,e"]),
        ("1,00,x y\n2,01,\n", 2, None, ["00|1,x y", "01|2,"]),
        ("1 00 cat, dog\n2 01\n", 2, None, ["00|1 cat, dog", "01|2"]),
        ("1 00 a, b\n2 01 c, d\n", 2, "blanks", ["00|1 a, b", "01|2 c, d"]),
        ("00 a,b\n01 c,d\n", 1, "commas", ["00 a|b", "01 c|d"]),
        ("\t00\t01\n", 2, None, ["00|\t01"]),
    ],
)
def test_columns(text: str, column: int, separator: str | None, rows: list[str]) -> None:
    assert columns(text, column, separator) == [tuple(row.split("|")) for row in rows]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("1,00\n\n2\t01\n", 2, "line 3: 1 columns by commas, --column 2 is missing; .* --separator says by what"),
        ("1 02 , 02\n1 02 a, 03\n", 2, "line 2: column 2 is '03' by commas and '02' by blanks; --separator says"),
        ("00 a\n", 3, "line 1: 2 columns by blanks, --column 3 is missing"),
        ("a,00\nb,\n", 2, "line 2: column 2 is empty"),
        ("00\n,01\n", 1, "line 2: column 1 is empty; --column says where the codes stand"),
        ("00\n\t01\n", 1, "line 2: column 1 is empty"),
    ],
)
def test_lines_that_differ_are_named(text: str, column: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        columns(text, column)


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"])
def test_lines_end_in_any_way(run: Run, end: bytes) -> None:
    lines = end.join([b"\xef\xbb\xbf00ff a", b"00fe b", b""])
    Path("hashes.txt").write_bytes(lines)
    assert run("build", "--keys", "-o", "s", stdin=lines)[0] == "s: 2 codes of 16 bits\n"
    assert run("build", "hashes.txt", "-o", "t")[0] == "t: 2 codes of 16 bits\n"
    assert run("remove", "--keys", "s", stdin=end.join([b"b", b"a"]))[0] == "s: 2 codes removed, 0 left\n"


def test_names_of_any_bytes_are_removed_as_given_and_as_printed(run: Run) -> None:
    printed = "caf\\xe9 \\xff.jpg"
    for i, name in enumerate((NAME, printed.encode())):
        for given, stdin in ((name,), b""), ((), name + b"\n"):
            store = f"s{i}{len(stdin)}"
            run("build", "--keys", "-o", store, stdin=b"00ff " + NAME + b"\n00fe \xc3\xa9\n")
            assert run("search", store, "-r", "0", stdin=b"00ff\n")[0] == f"1\t0\t0\t{printed}\n"
            assert run("remove", "--keys", store, *given, stdin=stdin) == (f"{store}: 1 codes removed, 1 left\n", "")


def test_names_of_pictures_are_printed_as_they_are(tmp_path: Path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    (tmp_path / "photos").mkdir()
    for name in (NAME, b"other.jpg"):
        image_module.linear_gradient("L").convert("RGB").save(made := BytesIO(), "JPEG")
        (tmp_path / "photos" / os.fsdecode(name)).write_bytes(made.getvalue())
    environment = os.environ | {"HASHINDEX_CACHE": str(tmp_path / "cache"), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "hashindex", "dedup", "photos", "--hash", "dhash"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=60)
    assert done.stderr == b""
    assert sorted(done.stdout.splitlines()[:2]) == [b"photos/" + NAME, b"photos/other.jpg"]


def test_standard_output_by_its_name(tmp_path: Path) -> None:
    """A pipe, whose real path is no file."""
    command = [sys.executable, "-m", "hashindex", "convert", "-o", "/dev/stdout", "--to", "hex"]
    done = subprocess.run(command, input=b"00ff a\n", cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == (b"00ff\ta\n/dev/stdout: 1 codes of 16 bits\n", b"")


def test_integers_are_plain_digits(run: Run) -> None:
    for text, message in (("1_0", "line 2: not an integer: '1_0'"), ("256", "line 2: 256 does not fit 8 bits")):
        assert message in run("build", "--kind", "int", "--n-bits", "8", "-o", "s", stdin=f"5\n{text}".encode())[1]
    run("build", "--kind", "int", "--n-bits", "8", "-o", "s", stdin=b"-1\n+1\n255\n")
    assert hx.HashIndex.open("s", mode="r").get([0, 1, 2]).tolist() == [[255], [1], [255]]
    assert "'1_0' is no id" in run("remove", "s", "1_0")[1]
