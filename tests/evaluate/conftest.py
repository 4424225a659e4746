"""Methods to be compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from runs import a_run


@pytest.fixture
def methods(tmp_path: Path) -> Path:
    """Three methods with two seeds each."""
    for i, name in enumerate(("HashNet", "DHN", "HashNet without <b>$parts")):
        for seed in range(2):
            a_run(tmp_path / "runs" / name / str(seed), seed, 0.05 + 0.1 * i)
    return tmp_path / "runs"
