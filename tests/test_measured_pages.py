"""Pages that are made of results are what `benchmarks/report.py` makes of those that are committed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MADE = ["README.md", "docs/benchmarks.md", "benchmarks/results/radii.md"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the report makes of the results."""
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("made")
    results, docs = folder / "benchmarks" / "results", folder / "docs"
    shutil.copytree(ROOT / "benchmarks" / "results", results)
    shutil.copy(ROOT / "README.md", folder)
    subprocess.run([sys.executable, ROOT / "benchmarks" / "report.py", results, docs], check=True)
    return folder


@pytest.mark.parametrize(
    "name", [*MADE, *(f"docs/benchmarks/{path.name}" for path in ROOT.glob("docs/benchmarks/*.md"))]
)
def test_pages_are_made_of_the_results(made: Path, name: str) -> None:
    assert (made / name).read_text() == (ROOT / name).read_text()
