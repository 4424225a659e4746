"""What tests of commands begin with."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from commands import LINES, Run
from hashindex.cli import main as cli


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
