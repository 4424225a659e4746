"""Commands that train on pictures and encode them: what is told of pictures that do not fit, and what is done."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import hashindex as hx
from commands import Run
from hashindex.cli import main as cli

pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")


def test_pictures_of_other_sizes_are_brought_to_those_of_the_model(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, list[str], str]:
        status = cli.main([*arguments])
        told = capsys.readouterr()
        return status, told.out.splitlines(), told.err

    pixels = np.random.default_rng(0).integers(0, 256, (16, 9, 8, 3), dtype=np.uint8)
    for i, each in enumerate(pixels):
        path = Path("pictures") / ("odd" if i % 2 else "even") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(each).save(path)
    train = ("train", "pictures", "-o", "model", "--n-bits", "12", "--steps", "4")
    assert run(*train)[0] == 0
    Path("new").mkdir()
    Image.fromarray(pixels[0]).save("new/same.png")
    Image.fromarray(pixels[0]).resize((70, 90)).save("new/large.png")
    known, new = (run("encode", "model", folder)[1] for folder in ("pictures", "new"))
    assert [row.split("\t")[1] for row in new] == ["large.png", "same.png"]
    assert new[1] == known[0].replace("even/0.png", "same.png")
    Image.fromarray(pixels[0]).resize((3, 90)).save("pictures/odd/thin.png")
    status, _, err = run(*train)
    assert status == 2
    assert "the first has 9 x 8; give --size N to bring all to N pixels a side" in err
    assert "got 2 x 2; give --size N, at least 4" in run(*train, "--size", "2")[2]
    assert run(*train, "--size", "4")[0] == 0


def test_train_and_encode_pictures(run: Run) -> None:
    rng = np.random.default_rng(0)
    for i in range(16):
        path = Path("pictures") / ("dark" if i % 2 else "light") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 99, (9, 8, 3), dtype=np.uint8) + np.uint8(156 * (i % 2 == 0))).save(path)
    train = ["train", "pictures", "-o", "model", "--n-bits", 12, "--size", 8, "--steps", 4]
    status, out, err = run(*train)
    assert (status, err) == (0, "")
    assert out.startswith("model: codes of 12 bits, of 16 pictures of 2 classes; loss ")
    status, rows, _ = run("encode", "model", "pictures")
    assert status == 0
    assert [row.split("\t")[1] for row in rows.splitlines()][:2] == ["dark/1.png", "dark/11.png"]
    assert run("build", "--n-bits", 12, "--align", "left", "--keys", "-o", "coded", stdin=rows)[0] == 0
    assert hx.HashIndex.open("coded", mode="r").find(["light/0.png"]).tolist() == [8]
    shutil.copytree("pictures/dark", "flat")
    assert "lies in no folder" in run("train", "flat", "-o", "model")[2]
    shutil.rmtree("pictures/light")
    assert "all pictures are of the class 'dark'" in run("train", "pictures", "-o", "model")[2]
    assert run("encode", "nothing", "pictures")[0] == 2
