"""Lists are read exactly, or refused with line numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("PIL.Image")


from hashindex.learn.data import (
    read_list,
)


def test_lists_say_what_was_written(rng: np.random.Generator, tmp_path: Path) -> None:
    words = ["cat", "my photo 3.jpg", "7", "x.jp2", "\u00e9t\u00e9 1/a.png", "12 b", "a-1"]
    for n_classes in (1, 2, 9):
        paths = [f"{words[i]}{end}" for i, end in zip(rng.integers(0, 7, 40), ["", ".jpg"] * 20, strict=True)]
        labels = rng.integers(0, 2 if n_classes > 1 else 2000, (40, n_classes))
        text = "".join(
            f"{path} {' '.join(map(str, row))}" + ["\n", " \r\n", "\n\n"][i % 3]
            for i, (path, row) in enumerate(zip(paths, labels, strict=True))
        )
        (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf" * (n_classes == 2) + text.encode())
        seen = read_list(tmp_path / "list.txt")
        assert seen.paths == tuple(paths)
        assert seen.labels.dtype == np.int64
        np.testing.assert_array_equal(seen.labels, labels[:, 0] if n_classes == 1 else labels)
        lines = text.split("\n")
        assert all(lines[line - 1].startswith(path) for line, path in zip(seen.lines, seen.paths, strict=True))
        assert seen.root == tmp_path


def test_lists_from_lines_and_below_a_folder() -> None:
    seen = read_list(["/home/x/coco/b/coco/val/1.jpg 1 0\n", "coco/2.jpg 0 1", "./scoco/3.jpg 0 1"], below="coco")
    assert seen.paths == ("val/1.jpg", "2.jpg", "./scoco/3.jpg")
    assert seen.class_numbers().tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match=r"2 lines: line 1 has 0; line 3 has 2"):
        read_list(["a 0 0", "b 0 1", "c 1 1"]).class_numbers()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a 0 1 0", "b 0 1", "", "c 1 0 0"], r"1 of 3 lines are wrong: line 2 'b': 2 labels follow, 3 in most"),
        (["a 0 1 0", "b 0 x 0", "c 1 0 0"], r"line 2 'b 0 x': 1 labels follow"),
        (["a 1", "b", "c -1", "d 1.5"], r"3 of 4 lines.*line 2 'b': no label.*line 3 'c -1': no.*line 4 'd 1\.5': no"),
        (["a 0 1", "b 0 2"], r"line 2 'b': several labels must be 0 or 1, got 2"),
        (["a 99999999999999999999"], r"line 1 'a': class number 9+ is too large"),
        (["", " "], "got none"),
        ([f"a{i}" for i in range(30)], r"30 of 30 lines.*line 10 'a9'.*and 20 more"),
    ],
)
def test_wrong_lines_are_all_named(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=rf"^mine: .*{message}"):
        read_list(lines, name="mine")


def test_lists_must_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a 0\n\xe9t\xe9 1\n")
    with pytest.raises(ValueError, match=r"UTF-8.* in 1 lines: line 2"):
        read_list(tmp_path / "list.txt")
