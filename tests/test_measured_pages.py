"""Pages that are made of results are what `benchmarks/report.py` makes of those that are committed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MADE = ["README.md", "docs/benchmarks.md", "docs/comparison.md", "benchmarks/results/radii.md"]
OTHERS = ("faiss", "usearch", "pynear", "pgvector", "PostgreSQL", "SQLite", "NumPy")


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


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a page: lists of rows, the first of which names the columns."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    lines = [[line[2:-2].split(" | ") for line in block.splitlines()] for block in blocks]
    return [[rows[0], *rows[2:]] for rows in lines]


def test_the_comparison_hides_no_loss() -> None:
    """What is below ours in the pages of benchmarks is among that which comes first, or worse than what is."""
    first = tables((ROOT / "docs" / "comparison.md").read_text())[0]
    told = {(case, other.split()[1]): float(times[:-1]) for _, case, _, other, times in first[1:]}
    lost = {}
    for page in (ROOT / "docs" / "benchmarks").glob("*.md"):
        for (_, *columns), *rows in tables(page.read_text()):
            for case, *row in rows:
                for name, cell in zip(columns, row, strict=True):
                    found = re.match(r"[\d.,]+ \((0\.\d\d)x\)(?:<br>recall (0\.\d+))?", cell)
                    if found and name.startswith(OTHERS) and float(found[2] or 1) >= 0.98:
                        lost[f"{page.stem}: {case}", name.split()[0].rstrip(",")] = float(found[1])
    assert len(lost) > 10
    assert {key: times for key, times in lost.items() if told.get(key, 1) > times} == {}
