"""Empty environments, and the use of what is installed into them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Prints the engine, then the warnings; fails on a wrong answer.
USE = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import numpy as np
    import hashindex as hx
    index = hx.HashIndex(n_bits=64)
    index.add(np.arange(1000, dtype=np.uint64))
    for method in ("scan", "multi-index"):
        hits = index.search(np.uint64(7), radius=1, method=method)
        assert hits.ids.tolist() == [7, 3, 5, 6, 15, 23, 39, 71, 135, 263, 519], hits
print(index.engine_name, *(f"{warning.category.__name__}: {warning.message}" for warning in caught), sep="\\n")
"""


def run(
    *command: str | Path, cwd: Path | None = None, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run with none of the caller's HASHINDEX_* and PYTHON* variables but those given; stderr goes into stdout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HASHINDEX_", "PYTHON"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**inherited, **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )


def pip(*arguments: str | Path, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    # Without the cache: pip would keep the wheels built here by the path of their source and serve stale ones.
    return run(sys.executable, "-m", "pip", "--no-cache-dir", *arguments, variables=variables)


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout
    return done.stdout


def empty_environment(folder: Path) -> Path:
    """Return the interpreter of a new environment in which not even pip is installed."""
    succeeded(run(sys.executable, "-m", "venv", "--without-pip", folder))
    return folder / "bin" / "python"


def installed(python: Path) -> set[str]:
    lines = succeeded(pip("--python", python, "list", "--format=freeze")).splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line}
