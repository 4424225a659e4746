"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import hashindex
import hashindex.index

ROOT = Path(__file__).parent.parent


def test_examples_in_docstrings() -> None:
    for module in (hashindex, hashindex.index):
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


def test_the_readme_names_targets_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_one_version() -> None:
    declared = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert declared
    assert hashindex.__version__ == declared[1]
    assert f"## {declared[1]}" in (ROOT / "CHANGELOG.md").read_text()
