"""Some of the points of `make crash`."""

from __future__ import annotations

import shutil
import subprocess

import pytest

import crashes


def can_trace() -> bool:
    """Whether strace is here, and may look at processes."""
    return shutil.which("strace") is not None and subprocess.run(["strace", "-o", "/dev/null", "true"]).returncode == 0


@pytest.mark.skipif(not can_trace(), reason="needs strace and the right to trace")
def test_killed_and_failing_calls() -> None:
    results = crashes.prove(every=120)
    assert results["points"] > 300
    assert results["KILL: killed"] > 2
    assert results["EIO: raised"] + results["ENOSPC: raised"] > 2
