"""Image files that read like one uint8 array, decoded when they are asked for: data may be larger than memory."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.numbers import n_threads
from .source import listed, source_at

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_BLOCK = 1024  # images decoded at once by `check`
DEEP = ("I", "F")  # modes of more than 8 bits a channel begin so
_TINY = 64 * 64  # pixels; of smaller images most work is Python's, which threads only hinder


class Images:
    """Image files as an array (n, 3, height, width) of uint8, red, green, blue: what a model's ``fit`` takes.

    ``images[rows]`` decodes those rows, in their order, in HASHINDEX_NUM_THREADS threads (else all CPUs). It can be
    pickled and used from many threads and in forked children.

    Parameters
    ----------
    paths
        Paths below `root`.
    root
        A folder, a .zip file, or a folder inside one (``images.zip/part``).
    size
        Height and width: the shorter side is resized to it (bilinear, with antialiasing) and the middle is cut out.
        None leaves images as they are; all must then be as large as the first.
    lines
        Line number of each path in its list, for error messages; by default rows are named.
    name
        What error messages call the images.

    Raises
    ------
    ImportError
        Pillow is missing.
    FileNotFoundError
        `root` does not exist or images are missing; all are found, the first ten named.
    ValueError
        There is no path, `size` is below 1, or the first image cannot be read.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        paths: Sequence[str],
        root: str | os.PathLike[str] = ".",
        *,
        size: int | None = None,
        lines: Sequence[int] | NDArray[np.int64] | None = None,
        name: str = "images",
    ) -> None:
        _pillow()
        if len(paths) == 0:
            raise ValueError(f"{name}: expected at least one path, got none")
        if size is not None and size < 1:
            raise ValueError(f"size must be at least 1 pixel, got {size}")
        self.paths = tuple(paths)
        self.name = name
        self._lines = lines
        self._source = source_at(root)
        missing = [self._place(row) for row, path in enumerate(self.paths) if path not in self._source]
        if missing:
            raise FileNotFoundError(
                f"{name}: {len(missing):,} of {len(paths):,} images are not in {root}: {listed(missing)}"
            )
        self._side = size
        self.shape = (len(paths), 3, *(self._first_sides() if size is None else (size, size)))

    @classmethod
    def below(cls, root: str | os.PathLike[str], *, size: int | None = None) -> Images:
        """Take all image files below a folder, a .zip file or a folder inside one, in the order of their paths.

        Image files are told by their suffixes (`SUFFIXES`). Raises as the class does.
        """
        names = sorted(name for name in source_at(root).names() if name.lower().endswith(SUFFIXES))
        return cls(names, root, size=size, name=os.fspath(root))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: Any) -> NDArray[np.uint8]:
        """Decode rows given by an integer, a slice, integers or a mask; ValueError that lists the unreadable."""
        index = np.arange(len(self))[rows]
        images, unreadable = self._decoded(index.ravel())
        if unreadable:
            raise self._error(unreadable)
        return images.reshape(index.shape + self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("images are decoded when read: an array of them is always new")
        return np.asarray(self[:], dtype)

    def check(self) -> None:
        """Decode every image once, block by block; ValueError that lists the unreadable."""
        blocks = (np.arange(start, min(start + _BLOCK, len(self))) for start in range(0, len(self), _BLOCK))
        unreadable = [offender for block in blocks for offender in self._decoded(block)[1]]
        if unreadable:
            raise self._error(unreadable)

    def _decoded(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], list[str]]:
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        offenders: dict[int, str] = {}

        def work(places: range) -> None:
            for place in places:
                try:
                    images[place] = self._read(int(rows[place]))
                except Exception as error:  # decoders raise whatever they like on damaged files
                    offenders[place] = f"{self._place(int(rows[place]))}: {error}"

        tiny = self._side is None and self.shape[2] * self.shape[3] < _TINY
        n_workers = 1 if tiny else min(n_threads(), len(rows))
        if n_workers < 2:
            work(range(len(rows)))
        else:
            with ThreadPoolExecutor(n_workers) as pool:
                list(pool.map(work, (range(first, len(rows), n_workers) for first in range(n_workers))))
        return images, [offenders[place] for place in sorted(offenders)]

    def _read(self, row: int) -> NDArray[np.uint8]:
        pixels = _decode(self._source.read(self.paths[row]), self._side).transpose(2, 0, 1)
        if pixels.shape != self.shape[1:]:
            (height, width), (high, wide) = pixels.shape[1:], self.shape[2:]
            raise ValueError(
                f"{height} x {width} pixels (height x width), the first has {high} x {wide}; give size= to resize all"
            )
        return pixels

    def _first_sides(self) -> tuple[int, int]:
        try:
            height, width, _ = _decode(self._source.read(self.paths[0]), None).shape
        except Exception:
            raise self._error(self._undecodable()) from None
        return height, width

    def _undecodable(self) -> list[str]:
        """Return what cannot be decoded, whatever its size."""
        offenders = []
        for row, path in enumerate(self.paths):
            try:
                _decode(self._source.read(path), None)
            except Exception as error:
                offenders.append(f"{self._place(row)}: {error}")
        return offenders

    def _place(self, row: int) -> str:
        where = f"row {row}" if self._lines is None else f"line {self._lines[row]}"
        return f"{where} {self.paths[row]!r}"

    def _error(self, unreadable: list[str]) -> ValueError:
        return ValueError(f"{self.name}: {len(unreadable):,} images cannot be read: {listed(unreadable)}")


def _decode(data: bytes, side: int | None) -> NDArray[np.uint8]:
    """Return pixels (height, width, 3); `side` asks for a square that is resized and cut from the middle."""
    pillow = _pillow()
    with pillow.open(io.BytesIO(data)) as file:
        if side is not None:
            file.draft("RGB", (side, side))  # JPEG decodes at 1/2, 1/4 or 1/8 where that is still large enough
        if file.mode.startswith(DEEP):
            raise ValueError(f"more than 8 bits a channel (Pillow's mode {file.mode}): convert it to 8 bits")
        image = file.convert("RGB")
    if side is not None and image.size != (side, side):
        least = min(image.size)
        left, top = ((length - least) / 2 for length in image.size)
        box = (left, top, left + least, top + least)
        image = image.resize((side, side), pillow.Resampling.BILINEAR, box=box)
    return np.asarray(image)


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("reading images needs Pillow: pip install 'hashindex[train]'") from error
    return Image
