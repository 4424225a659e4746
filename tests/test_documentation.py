"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hashindex
import hashindex.index.hash_index

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "hashindex"
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "connect").glob("*.md")])


def test_examples_in_docstrings() -> None:
    for module in (hashindex, hashindex.index.hash_index):
        result = doctest.testmod(module)
        assert result.attempted > 0
        assert result.failed == 0


def test_the_readme_example_runs() -> None:
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example
    code = example[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 8
    shown = re.findall(r"# -> (.*)", code)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert shown
    assert result.stdout.splitlines() == shown


def prose(text: str) -> str:
    """The text without its blocks of code, comments and link targets."""
    return re.sub(r"```.*?```|<!--.*?-->|\]\(.*?\)", "", text, flags=re.DOTALL)


def test_the_readme_is_short_and_calm() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= 72
    assert len(re.findall(r"\d+(?:[.,]\d+)*", prose(readme))) <= 15


def test_the_readme_comes_to_the_point() -> None:
    readme = (ROOT / "README.md").read_text()
    wanted = (
        "## Install",
        "pip install .",
        "```python",
        "## How fast",
        "## Training",
        "## When not to use it",
        "make demo",
    )
    places = [readme.index(one) for one in wanted]
    assert places == sorted(places)
    assert readme[: places[1]].count("\n") < 20
    assert "make test" in readme


def test_the_readme_shows_numbers_of_the_benchmarks() -> None:
    readme, measured = ((ROOT / name).read_text() for name in ("README.md", "docs/benchmarks/avx512.md"))
    rows = re.findall(r"^\|.*\| ([\d.,]+) \| ([\d.,]+), .* \|$", readme, re.MULTILINE)
    assert len(rows) == 3
    for ours, theirs in rows:
        assert re.search(rf"^\|.*\| {re.escape(ours)} \|.* {re.escape(theirs)} \(", measured, re.MULTILINE), (
            ours,
            theirs,
        )


def test_the_readme_shows_results_that_were_reproduced() -> None:
    readme, reproduced = (
        (ROOT / name).read_text() for name in ("README.md", "benchmarks/results/reproduce_embedded.md")
    )
    shown = re.search(
        r"mean average precision is (\d\.\d+)\. DHN, .*, has (\d\.\d+)\s.*, and (\d\.\d+) with class-balanced",
        readme,
        re.DOTALL,
    )
    assert shown
    listing = reproduced.split("Two digits side by side")[1]
    for method, value in zip(("HashNet", "DHN", "DHN, batches balanced"), shown.groups(), strict=True):
        assert re.search(rf"^\| {method} +\| {re.escape(value)} ", listing, re.MULTILINE), method


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_targets_that_are_named_are_there(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / name).read_text(), re.MULTILINE)
    assert named
    for target in set(named):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(str(page.relative_to(ROOT)) for page in PAGES)])
def test_files_that_are_named_are_there(page: str) -> None:
    text = (ROOT / page).read_text()
    for name in re.findall(r"`((?:[\w.]+/)+(?:\w+\.(?:py|h|cpp|md|sh))?)`", text):
        assert any((folder / name).exists() for folder in (ROOT, PACKAGE)), name
    for link in re.findall(r"\]\(([\w./]+)\)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), link


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {folder.parent.name for folder in PACKAGE.glob("*/__init__.py")}
    picture = (ROOT / "docs" / "pictures" / "architecture.svg").read_text()
    assert {room for room in rooms if f"`{room}/`" not in text} == set()
    assert {room for room in rooms if not re.search(rf"\b{room}\b", picture)} == set()


def test_what_the_architecture_quotes_of_the_core_is_there() -> None:
    quoted = re.findall(r'`csrc/README.md`, "(.*?)"', (ROOT / "docs" / "architecture.md").read_text())
    headings = re.findall(r"^## (.*)$", (ROOT / "csrc" / "README.md").read_text(), re.MULTILINE)
    assert quoted
    assert set(quoted) <= set(headings)


def test_examples_of_the_pages_are_run() -> None:
    """By `make docs`, which knows them by their directive."""
    for page in PAGES:
        text = page.read_text()
        assert "```python" not in text, page
        assert len(re.findall(r"^```\{doctest\}", text, re.MULTILINE)) == len(
            re.findall(r"^```.*\n>>>", text, re.MULTILINE)
        )


def test_one_version() -> None:
    declared = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert declared
    assert hashindex.__version__ == declared[1]
    assert f"## {declared[1]}" in (ROOT / "CHANGELOG.md").read_text()
