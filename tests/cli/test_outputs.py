"""Files that commands write: what cannot be written is told before the work, and nothing is left half written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.cli.checks import check_outputs, write_output


def test_what_cannot_be_written_is_told_by_option(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, message in (
        (tmp_path, "--json .* is a folder; name a file in it"),
        (tmp_path / "no" / "file", "--json .*: the folder .*no does not exist"),
        (tmp_path / "file" / "file", "--json .* cannot be written: Not a directory"),
    ):
        with pytest.raises(ValueError, match=message):
            check_outputs({"--json": path})
        with pytest.raises(ValueError, match="cannot write --json: "):
            write_output("--json", path, "text")
    check_outputs({"--json": tmp_path / "file", "--page": None})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_is_replaced_at_once_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_output("--json", path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_output("--json", path, "half \ud800")
    assert path.read_text() == "old"
    write_output("--json", path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_or_device_is_written_into_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_outputs({"--json": pipe, "--page": pipe}, [pipe])
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output("--json", pipe, "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert pipe.is_fifo()


def test_what_is_read_or_written_or_belongs_to_a_store_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with HashIndex.open("store", 8) as store:
        store.add(np.zeros((1, 1), np.uint8))
        store.compact()
    (tmp_path / "link").symlink_to("store/store.sqlite")
    segment = next((tmp_path / "store" / "segments").iterdir())
    for outputs, message in (
        ({"-o": Path("in")}, "-o in: the command reads it; name another file"),
        ({"-o": tmp_path / "store" / ".." / "in"}, "-o .*: the command reads it"),
        ({"--json": Path("x"), "--page": tmp_path / "x"}, "--page .*x: --json writes it"),
        ({"-o": Path("store/store.sqlite")}, "-o .*: lies in a store, whose files are its own; name a file elsewhere"),
        ({"-o": Path("store/new.txt")}, "-o .*: lies in a store"),
        ({"-o": segment}, "-o .*: lies in a store"),
        ({"-o": Path("link")}, "-o link: lies in a store"),
        ({"--page": Path("-")}, "--page -: cannot be written to standard output; name a file"),
    ):
        with pytest.raises(ValueError, match=message):
            check_outputs(outputs, ["in", "-"])
    check_outputs({"-o": Path("out"), "--json": Path("y")}, ["in"])
