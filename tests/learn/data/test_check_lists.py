"""What the checker of lists finds, and what it counts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("PIL.Image")

import torch

from hashindex.cli import check_lists as check_command
from hashindex.learn import pair_weights
from hashindex.learn.data import (
    ImageList,
    ListCheck,
    check_lists,
    read_list,
    similar_pairs,
    summary,
)
from photos import Pixels, save


def brute_share(labels: NDArray[np.int64]) -> float:
    similar = [[(a == b) if labels.ndim == 1 else bool((a & b).any()) for b in labels] for a in labels]
    return float(np.mean(similar | np.eye(len(labels), dtype=bool)))


@pytest.mark.parametrize("n_classes", [None, 3, 12])
def test_similar_pairs_are_counted(n_classes: int | None, rng: np.random.Generator) -> None:
    for n in (1, 2, 40):
        labels = rng.integers(0, 4, n) if n_classes is None else (rng.random((n, n_classes)) < 0.2).astype(np.int64)
        pairs, weights = similar_pairs(labels), pair_weights(torch.from_numpy(labels))
        assert pairs.share == pytest.approx(brute_share(labels))
        assert pairs[1:] == pytest.approx((weights.similar, weights.dissimilar))


def test_similar_pairs_are_drawn_from_many_rows(rng: np.random.Generator) -> None:
    labels = (rng.random((1500, 20)) < 0.2).astype(np.int64)
    drawn = similar_pairs(labels, most_rows=700)
    assert drawn == similar_pairs(labels, most_rows=700)
    assert drawn.share != similar_pairs(labels).share
    assert drawn.share == pytest.approx(similar_pairs(labels).share, rel=0.05)


def kinds(check: ListCheck) -> dict[tuple[str, str], tuple[int, ...]]:
    assert len({(f.part, f.kind) for f in check.findings}) == len(check.findings)
    return {(finding.part, finding.kind): finding.lines for finding in check.findings}


def listing(root: Path, rows: Sequence[str]) -> ImageList:
    return read_list(rows, root)


def test_checker_finds_each_defect(photos: tuple[Path, list[str], Pixels]) -> None:
    root, _, pixels = photos
    a = [f"a/photo {i}.png" for i in range(7)]
    clean = [f"{a[0]} 1 0", f"{a[1]} 0 1"], [f"{a[2]} 1 0", f"{a[3]} 0 1"], [f"{a[4]} 1 0", f"{a[5]} 1 1"]
    check = check_lists(*(listing(root, rows) for rows in clean), contents=True)
    assert check.ok
    assert check.findings == ()
    assert (check.pairs.share, check.n_classes, check.n_images["query"]) == (0.5, 2, 2)
    assert "nothing found" in summary(check)

    train = ["", f"{a[0]} 1 0 0 0", "gone.png 0 1 0 0", f"{a[2]} 0 0 0 0"]
    database = [f"./{a[2]} 1 0 0 0", f"{a[3]} 0 1 0 1", f"a/../{a[3]} 0 1 0 0"]
    query = [f"{a[4]} 1 0 0 0", f"{a[3]} 0 1 0 0", f"{a[0]} 0 0 1 0", f"{a[5]} 0 0 0 0"]
    check = check_lists(*(listing(root, rows) for rows in (train, database, query)))
    assert kinds(check) == {
        ("train", "missing file"): (3,),
        ("train", "no label"): (4,),
        ("train", "train in database"): (4,),
        ("database", "duplicate"): (3,),
        ("database", "class not in query"): (2,),
        ("database", "class not in train"): (2,),
        ("query", "no label"): (4,),
        ("query", "query in database"): (2,),
        ("query", "query in train"): (3,),
        ("query", "class not in database"): (3,),
    }
    assert not check.ok
    text = summary(check)
    assert "problem: query: 1 of 4 images are in database too: line 2 is its line 2" in text
    assert text.index("problem") < text.index("note")

    (link := root.with_name("link")).symlink_to(root)
    for other in (link, Path(os.path.relpath(root))):
        check = check_lists(listing(root, clean[0]), listing(root, clean[1]), listing(other, clean[1]))
        assert ("query", "query in database") in kinds(check)

    save(root / "copy.png", pixels[4])
    hidden = [clean[0], [*clean[1], "copy.png 0 1"], clean[2]]
    assert check_lists(*(listing(root, rows) for rows in hidden)).ok
    check = check_lists(*(listing(root, rows) for rows in hidden), contents=True)
    assert kinds(check) == {("query", "query in database"): (1,)}
    with pytest.raises(ValueError, match=r"train \(1,\), database \(2, 2\)"):
        check_lists(listing(root, ["x 1"]), *(listing(root, rows) for rows in clean[1:]))


@pytest.mark.parametrize("one_hot", [False, True])
def test_checker_sees_an_order_by_class(one_hot: bool, rng: np.random.Generator, tmp_path: Path) -> None:
    def checked(classes: NDArray[np.int64]) -> tuple[int, ...] | None:
        labels = [" ".join(map(str, np.eye(5, dtype=int)[c])) if one_hot else str(c) for c in classes]
        lists = [listing(tmp_path, [f"{name}{i} {x}" for i, x in enumerate(labels)]) for name in "tdq"]
        return kinds(check_lists(*lists)).get(("database", "sorted"))

    for halves in (np.repeat([0, 1], 400), np.repeat(range(5), 100)):
        assert checked(np.concatenate([halves[::2], rng.permutation(halves[1::2])])) is not None
    assert checked(np.repeat([0, 1], 20)) is not None
    assert all(checked(rng.integers(0, 2, 40)) is None for _ in range(20))
    classes = np.repeat(range(5), [20, 30, 25, 25, 20])
    assert checked(classes) == (21, 50)
    assert all(checked(rng.permutation(classes)) is None for _ in range(20))
    assert checked(classes[::10]) is None


@pytest.fixture
def run_command() -> Callable[..., int]:
    def run(*arguments: object) -> int:
        parser = argparse.ArgumentParser()
        check_command.describe(parser)
        return check_command.run(parser.parse_args([str(one) for one in arguments]))

    return run


def test_command(
    photos: tuple[Path, list[str], Pixels], run_command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    root, names, _ = photos
    lists = [root.parent / f"{part}.txt" for part in ("train", "database", "query")]
    for i, path in enumerate(lists):
        path.write_text(f"/their/images/{names[i]} 1\n")
    assert run_command(*lists, "--root", root, "--below", "images") == 0
    assert "similar pairs in train: 100.00%" in capsys.readouterr().out
    lists[2].write_text(lists[1].read_text())
    assert run_command(*lists, "--root", root, "--below", "images", "--contents") == 1
    assert "problem: query: 1 of 1 images are in database too: line 1 is its line 1" in capsys.readouterr().out
    with pytest.raises(ValueError, match="nowhere"):
        run_command(*lists, "--root", root / "nowhere")
