"""The three benchmarks of HashNet's paper."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("PIL.Image")


from hashindex.learn.data import (
    COCO,
    IMAGENET_100,
    NUS_WIDE_81,
)
from photos import Pixels


def test_benchmarks_load_once_the_images_are_there(photos: tuple[Path, list[str], Pixels], tmp_path: Path) -> None:
    root, names, pixels = photos
    home = tmp_path / "bench"
    small = replace(COCO, n_classes=3, n_train=2, n_database=4, n_queries=3)
    with pytest.raises(FileNotFoundError, match=r"train.txt, database.txt, test.txt not in(.|\n)*train2014/  \(images"):
        small.load(home)
    home.mkdir()
    (root / "a").rename(home / "val2014")
    lines = [f"/home/somebody/coco/val2014/{name[2:]} {i % 2} 0 0\n" for i, name in enumerate(names)]
    (home / "train.txt").write_text("".join(lines[:2]))
    (home / "database.txt").write_text("".join(lines[:4]))
    (home / "test.txt").write_text("".join(lines[4:]))
    task = small.load(home, size=5)
    np.testing.assert_array_equal(task.query_labels, [[0, 0, 0], [1, 0, 0], [0, 0, 0]])
    assert [len(part) for part in task] == [2, 2, 4, 4, 3, 3]
    np.testing.assert_allclose(task.database_images[:].mean(axis=(2, 3)), pixels[:4].mean(axis=(2, 3)), atol=40)
    assert task.database_images.shape == (4, 3, 5, 5)
    with pytest.raises(
        ValueError, match=r"not the lists of MS COCO.*2 images, expected 10,000.*3 classes, expected 80"
    ):
        COCO.load(home)
    with pytest.raises(ValueError, match=r"train.txt.*one label per image in 1 lines: line 1 has 0"):
        replace(small, multi_label=False).load(home)
    (home / "val2014" / names[5][2:]).unlink()
    with pytest.raises(FileNotFoundError, match=r"test.txt: 1 of 3 images .*line 2 'val2014/photo 5(.|\n)*train2014/"):
        small.load(home)
    (home / "test.txt").write_text("val2014/photo 4.png 1\n")
    with pytest.raises(ValueError, match=r"test.txt has class numbers, expected 3 labels of 0 or 1 per image"):
        small.load(home)


def test_the_papers_benchmarks_are_those_of_the_paper() -> None:
    for benchmark, n_classes, map_at, sizes in (
        (IMAGENET_100, 100, 1000, ("13,000", "128,503", "5,000")),
        (NUS_WIDE_81, 81, 5000, ("10,000", "5,000")),
        (COCO, 80, 5000, ("10,000", "112,218", "5,000")),
    ):
        assert (benchmark.n_classes, benchmark.map_at) == (n_classes, map_at)
        assert benchmark.multi_label == (benchmark is not IMAGENET_100)
        assert tuple(re.findall(r"\((.*) lines\)", benchmark.layout)) == sizes
    assert all(
        f"{folder}/  (images)" in benchmark.layout
        for benchmark, folder in ((IMAGENET_100, "val_image"), (NUS_WIDE_81, "images"), (COCO, "val2014"))
    )
