"""``hashindex build``: the folder that it is given, whatever it finds there."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from commands import Run
from hashindex.cli import hash_files


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
