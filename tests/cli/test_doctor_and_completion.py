"""Commands about the machine and the shell."""

from __future__ import annotations

import subprocess

import pytest

from commands import Run


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
