"""Commands that train have the threads of PyTorch wait passively, unless the user has chosen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

for package in ("torch", "sklearn", "faiss", "matplotlib", "jinja2", "tqdm"):
    pytest.importorskip(package)


@pytest.mark.parametrize("arguments", [["demo"], ["reproduce", "embedded"]], ids=" ".join)
@pytest.mark.parametrize("chosen", [None, "ACTIVE"])
def test_how_to_wait_is_set_before_torch_is_loaded(tmp_path: Path, arguments: list[str], chosen: str | None) -> None:
    (tmp_path / "torch.py").write_text("import os\nraise SystemExit(f'waits: {os.environ.get(\"OMP_WAIT_POLICY\")}')\n")
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"PYTHONPATH": str(tmp_path)} | ({} if chosen is None else {"OMP_WAIT_POLICY": chosen})
    command = [sys.executable, "-m", "hashindex", *arguments]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stderr == f"waits: {chosen or 'PASSIVE'}\n"


def test_commands_over_stores_begin_no_threads_of_blas() -> None:
    program = (
        "import os, {first}sys\nfrom hashindex.cli.main import main\nmain(['info'])\nassert 'numpy' in sys.modules\n"
    )
    program += "assert os.environ.get('OPENBLAS_NUM_THREADS') == {wanted!r}"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    for first, chosen, wanted in (("", {}, "1"), ("", {"OPENBLAS_NUM_THREADS": "2"}, "2"), ("numpy, ", {}, None)):
        script = program.format(first=first, wanted=wanted)
        subprocess.run([sys.executable, "-c", script], env=environment | chosen, check=True, timeout=120)


def test_the_library_leaves_the_environment_alone() -> None:
    program = "import os\nbefore = dict(os.environ)\nfrom hashindex.learn import HashNet\nassert os.environ == before"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
