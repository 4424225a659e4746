"""What keeps ``hashindex eval`` from writing its page is told, and nothing is written; and what it does without."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hashindex.cli import main as cli
from runs import N_BITS, N_ITEMS, N_QUERIES, images

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("n_bits", r"got 16 bits, at None in HashNet/0, 8 bits, at None in DHN/1"),
        ("missing", r"DHN/1/query_labels.npy: cannot be read"),
        ("images", r"HashNet/0/query_images.npy: must hold an image per code.*\(20, 1 or 3.*\(7, 1, 4, 5\)"),
        ("flat", r"HashNet/0/database_images.npy: must hold an image per code.*\(90, 1, 0, 5\)"),
        ("objects", r"HashNet/0/query_images.npy: is not a .npy file of numbers"),
        ("garbage", r"HashNet/0/query_images.npy: is not a .npy file of numbers"),
        ("nan", r"HashNet/0/database_images.npy: holds NaN"),
        ("one of two", r"query_images.npy is there, but no .*database_images.npy"),
        ("labels", r"HashNet/1 and DHN/1 have other labels, of 20 queries and 90 items and of 20 queries and 90 items"),
        ("z", r"DHN/1/database_z.npy: row 0: the code is not that of its z"),
        ("output", r"--output .*nowhere"),
    ],
)
def test_errors_name_what_is_wrong_and_write_no_page(
    methods: Path, change: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output, run = methods.parent / "page.html", methods / "DHN" / "1"
    if change == "n_bits":
        for name in ("query", "database"):
            np.save(run / f"{name}_codes.npy", np.load(run / f"{name}_codes.npy")[:, :1])
    elif change == "missing":
        (run / "query_labels.npy").unlink()
    elif change == "images":
        images(methods / "HashNet" / "0", 1, "float32")
        np.save(methods / "HashNet" / "0" / "query_images.npy", np.zeros((7, 1, 4, 5)))
    elif change == "labels":
        np.save(run / "database_labels.npy", np.load(run / "database_labels.npy")[::-1])
    elif change == "z":
        np.save(run / "database_z.npy", np.zeros((N_ITEMS, N_BITS), np.float32))
    elif change != "output":
        first = methods / "HashNet" / "0"
        images(first, 1, "float32")
        if change == "flat":
            np.save(first / "database_images.npy", np.zeros((N_ITEMS, 1, 0, 5)))
        elif change == "objects":
            np.save(first / "query_images.npy", np.array([None] * N_QUERIES), allow_pickle=True)
        elif change == "garbage":
            (first / "query_images.npy").write_bytes(b"\x93NUMPY\x01\x00\x06\x00{'a(\n\n")
        elif change == "nan":
            np.save(first / "database_images.npy", np.full((N_ITEMS, 1, 4, 5), np.nan))
        else:
            (first / "database_images.npy").unlink()
    else:
        output = methods / "nowhere" / "page.html"
    numbers = methods.parent / "all.json"
    assert cli.main(["eval", str(methods), "--output", str(output), "--json", str(numbers)]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not output.exists()
    assert not numbers.exists()


def test_page_and_numbers_are_two_files(methods: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["eval", str(methods), "--output", "both", "--json", "./both"]) == 2
    assert "--output both: --json writes it; name another file" in capsys.readouterr().err


def test_a_missing_package_is_told_before_the_work(
    methods: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hashindex.cli.checks.find_spec", lambda name: None if name == "jinja2" else True)
    (methods / "DHN" / "0" / "query_codes.npy").unlink()  # would be found if the work began
    assert cli.main(["eval", str(methods), "--output", str(methods / "page.html")]) == 2
    assert "needs jinja2: pip install 'hashindex[demo]'" in capsys.readouterr().err


def test_a_page_needs_neither_torch_nor_faiss(methods: Path) -> None:
    program = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name in ("torch", "faiss"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from hashindex.cli import main as cli
sys.exit(cli.main(["eval", *sys.argv[1:]]))
"""
    subprocess.run(
        [sys.executable, "-c", program, str(methods), "--output", str(methods / "page.html")], check=True, timeout=120
    )
