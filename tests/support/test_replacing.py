"""Files are replaced whole, and what goes wrong is told of the file that was asked for."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from hashindex.support.files import replacing


def test_what_goes_wrong_names_the_file_and_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write_half(error: OSError) -> None:
        with replacing(path) as new:
            new.write_text("half")
            raise error

    for error, name in (
        (OSError(errno.ENOSPC, "No space left"), str(path)),
        (OSError(errno.EIO, "Failed", "elsewhere"), "elsewhere"),
    ):
        with pytest.raises(OSError, match=str(error.strerror)) as raised:
            write_half(error)
        assert (raised.value.errno, raised.value.filename) == (error.errno, name)
        assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("file", "old")]
    with replacing(path) as new:
        new.write_text("whole")
    assert path.read_text() == "whole"


def test_a_folder_that_is_missing_is_told_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised, replacing(tmp_path / "none" / "file"):
        pytest.fail("there is nothing to write to")
    assert raised.value.filename == str(tmp_path / "none" / "file")
