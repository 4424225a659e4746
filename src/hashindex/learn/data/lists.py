"""HashNet's list format: one image per line, its path and then its labels.

    train/cat/0001.jpg 0 0 0 1 0      one 0/1 per class (multi-hot)
    train/cat/0001.jpg 3              or one class number

Labels are the integers a line ends with, so paths may hold spaces; what is left of them is the path. All lines have
equally many. Blank lines count as lines and are passed over. Lines end with LF, CRLF or CR; a byte order mark is taken
off.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...inputs.items import Labels
from .images import Images
from .source import listed, source_at

_DIGITS = "0123456789 \t"
_MAX_DIGITS = 18  # a label of more overflows int64


@dataclass(frozen=True, eq=False)
class ImageList:
    """Paths of images and their labels, with the line each stands on.

    Attributes
    ----------
    paths
        One per image, relative to `root`.
    labels
        int64, class numbers (n,) or multi-hot 0/1 (n, n_classes).
    lines
        int64 (n,), line numbers counted from 1.
    root
        The folder, the .zip file or the folder inside one that holds the images.
    name
        What error messages call the list.
    """

    paths: tuple[str, ...]
    labels: Labels
    lines: NDArray[np.int64]
    root: Path
    name: str

    def __len__(self) -> int:
        return len(self.paths)

    def images(self, size: int | tuple[int, int] | None = None, *, as_shown: bool = True) -> Images:
        """Return the images as what reads like one array (n, 3, height, width); see `Images`."""
        return Images(self.paths, self.root, size=size, lines=self.lines, name=self.name, as_shown=as_shown)

    def class_numbers(self) -> Labels:
        """Return labels (n,), also of multi-hot rows with one label each; ValueError that lists other rows."""
        if self.labels.ndim == 1:
            return self.labels
        counts = self.labels.sum(axis=1)
        wrong = [f"line {self.lines[row]} has {counts[row]}" for row in np.nonzero(counts != 1)[0]]
        if wrong:
            raise ValueError(f"{self.name}: expected one label per image in {len(wrong):,} lines: {listed(wrong)}")
        return np.nonzero(self.labels)[1]  # in row order


class _Line(NamedTuple):
    number: int
    path: str
    labels: list[str]


def read_list(
    source: str | os.PathLike[str] | Iterable[str],
    root: str | os.PathLike[str] | None = None,
    *,
    below: str | None = None,
    name: str | None = None,
) -> ImageList:
    """Read a list of images and labels.

    Parameters
    ----------
    source
        Path of a text file in UTF-8, also inside a .zip file (``images.zip/train.txt``); or its lines.
    root
        What the paths are relative to: a folder, a .zip file or a folder inside one. By default where the list lies,
        for lines the working folder. Nothing is looked for here; `ImageList.images` does.
    below
        Keep of each path what follows the last folder of this name: with "coco" the line
        ``/somebody/data/coco/val2014/1.jpg 0 1`` is for ``val2014/1.jpg``. Paths without it stay as they are.
    name
        What error messages call the list; by default its path.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        Lines are not in the format: all are found, the first ten named. Or there is no line.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        root, name = path.parent if root is None else root, str(path) if name is None else name
        numbered = _texts(source_at(path.parent).read(path.name), name)
    else:
        numbered = list(enumerate(source, 1))
    name = "list" if name is None else name
    lines = [_parsed(number, text) for number, text in numbered if text.strip()]
    if not lines:
        raise ValueError(f"{name}: expected lines like 'cat.jpg 0 1 0' or 'cat.jpg 1', got none")
    width = Counter(len(line.labels) for line in lines if line.labels).most_common(1)
    offenders = [text for line in lines if (text := _wrong(line, width[0][0] if width else 1))]
    if offenders:
        raise ValueError(f"{name}: {len(offenders):,} of {len(lines):,} lines are wrong: {listed(offenders)}")
    return ImageList(
        tuple(_below(line.path, below) for line in lines),
        _labels(lines),
        np.array([line.number for line in lines], np.int64),
        Path("." if root is None else root),
        name,
    )


def _texts(data: bytes, name: str) -> list[tuple[int, str]]:
    texts, offenders = [], []
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", data.removeprefix(b"\xef\xbb\xbf")), 1):
        try:
            texts.append((number, line.decode()))
        except UnicodeDecodeError:
            offenders.append(f"line {number} {line[:80]!r}")
    if offenders:
        raise ValueError(
            f"{name}: expected text in UTF-8, got other bytes in {len(offenders):,} lines: {listed(offenders)}"
        )
    return texts


def _parsed(number: int, text: str) -> _Line:
    """Take the integers off the end of a line, in time linear in its length."""
    text = text.strip()
    head = len(text.rstrip(_DIGITS))
    gap = re.compile(r"\s").search(text, head)
    if gap is None:
        return _Line(number, text, [])
    return _Line(number, text[: gap.start()], text[gap.end() :].split())


def _wrong(line: _Line, width: int) -> str | None:
    """Say what is wrong with a line whose list has `width` labels in most lines."""
    where, n = f"line {line.number} {line.path[:80]!r}", len(line.labels)
    if n == 0:
        return f"{where}: no label (0 or 1 per class, or one class number) ends the line"
    if n != width:
        return f"{where}: {n} labels follow, {width} in most lines"
    if width > 1 and not {"0", "1"}.issuperset(line.labels):
        return f"{where}: several labels must be 0 or 1, got {next(x for x in line.labels if x not in ('0', '1'))}"
    if len(line.labels[0]) > _MAX_DIGITS:
        return f"{where}: class number {line.labels[0][:30]} is too large"
    return None


def _labels(lines: list[_Line]) -> Labels:
    if len(lines[0].labels) == 1:
        return np.array([int(line.labels[0]) for line in lines], np.int64)
    text = "".join("".join(line.labels) for line in lines)
    return (np.frombuffer(text.encode(), np.uint8).reshape(len(lines), -1) - ord("0")).astype(np.int64)


def _below(path: str, folder: str | None) -> str:
    _, found, rest = f"/{path}".rpartition(f"/{folder}/")
    return rest if found and folder else path
