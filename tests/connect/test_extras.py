"""Modules for packages that are not installed name the extra that brings them."""

from __future__ import annotations

import subprocess
import sys

import pytest

ABSENT = """
import sys

class Absent:
    def find_spec(self, name, *_):
        if name == {peer!r}:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Absent())
import hashindex.connect.{module}
"""


@pytest.mark.parametrize(
    ("module", "peer", "extra"),
    [
        ("sklearn", "sklearn", "sklearn"),
        ("metric_learning", "torch", "metric-learning"),
        ("langchain", "langchain_core", "langchain"),
    ],
)
def test_an_import_without_the_package_names_the_extra(module: str, peer: str, extra: str) -> None:
    script = ABSENT.format(peer=peer, module=module)
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    message = f"hashindex.connect.{module} needs {peer}: pip install 'hashindex[{extra}]'"
    assert result.stderr.splitlines()[-1] == f"ImportError: {message}"
