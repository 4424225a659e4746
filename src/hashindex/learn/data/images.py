"""Image files that read like one uint8 array, decoded when they are asked for: data may be larger than memory."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.numbers import check_at_least, n_threads
from .source import listed, source_at

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_BLOCK = 1024  # images decoded at once by `check`
_DEEP = ("I", "F")  # modes of more than 8 bits a channel begin so
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
        Height and width, one number or two: images are resized until they cover it (bilinear, with antialiasing) and
        the middle is cut out. None leaves images as they are; all must then be as large as the first.
    lines
        Line number of each path in its list, for error messages; by default rows are named.
    name
        What error messages call the images.
    as_shown
        Whether images are read as a viewer shows them: turned as their EXIF data says, white where there is nothing.
        Otherwise pixels are as they are stored, which is how the code of papers reads them.

    Raises
    ------
    ImportError
        Pillow is missing.
    TypeError
        `size` is no integer.
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
        size: int | tuple[int, int] | None = None,
        lines: Sequence[int] | NDArray[np.int64] | None = None,
        name: str = "images",
        as_shown: bool = True,
    ) -> None:
        _pillow()
        if len(paths) == 0:
            raise ValueError(f"{name}: expected at least one path, got none")
        self._sides = _sides(size)
        self.paths = tuple(paths)
        self.name = name
        self._lines = lines
        self._as_shown = as_shown
        self._source = source_at(root)
        missing = [self._place(row) for row, path in enumerate(self.paths) if path not in self._source]
        if missing:
            raise FileNotFoundError(
                f"{name}: {len(missing):,} of {len(paths):,} images are not in {root}: {listed(missing)}"
            )
        self.shape = (len(paths), 3, *(self._sides or self._first_sides()))

    @classmethod
    def below(cls, root: str | os.PathLike[str], *, size: int | tuple[int, int] | None = None) -> Images:
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

        tiny = self._sides is None and self.shape[2] * self.shape[3] < _TINY
        n_workers = 1 if tiny else min(n_threads(), len(rows))
        if n_workers < 2:
            work(range(len(rows)))
        else:
            with ThreadPoolExecutor(n_workers) as pool:
                list(pool.map(work, (range(first, len(rows), n_workers) for first in range(n_workers))))
        return images, [offenders[place] for place in sorted(offenders)]

    def _read(self, row: int) -> NDArray[np.uint8]:
        pixels = _decode(self._source.read(self.paths[row]), self._sides, self._as_shown).transpose(2, 0, 1)
        if pixels.shape != self.shape[1:]:
            (height, width), (high, wide) = pixels.shape[1:], self.shape[2:]
            raise ValueError(
                f"{height} x {width} pixels (height x width), the first has {high} x {wide}; give size= to resize all"
            )
        return pixels

    def _first_sides(self) -> tuple[int, int]:
        try:
            height, width, _ = _decode(self._source.read(self.paths[0]), None, self._as_shown).shape
        except Exception:
            raise self._error(self._undecodable()) from None
        return height, width

    def _undecodable(self) -> list[str]:
        """Return what cannot be decoded, whatever its size."""
        offenders = []
        for row, path in enumerate(self.paths):
            try:
                _decode(self._source.read(path), None, self._as_shown)
            except Exception as error:
                offenders.append(f"{self._place(row)}: {error}")
        return offenders

    def _place(self, row: int) -> str:
        where = f"row {row}" if self._lines is None else f"line {self._lines[row]}"
        return f"{where} {self.paths[row]!r}"

    def _error(self, unreadable: list[str]) -> ValueError:
        return ValueError(f"{self.name}: {len(unreadable):,} images cannot be read: {listed(unreadable)}")


def rgb_as_shown(image: Any) -> Any:
    """A picture that Pillow opened, in RGB as a viewer shows it: turned as its EXIF data says, white where it is clear.

    ValueError if it has more than 8 bits a channel.
    """
    from PIL import ImageOps

    _check_depth(image)
    image.load()
    with suppress(Exception):  # of damaged EXIF data, which viewers pass over
        image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        pillow = _pillow()
        image = pillow.alpha_composite(pillow.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB")


def _check_depth(image: Any) -> None:
    if image.mode.startswith(_DEEP):
        raise ValueError(f"more than 8 bits a channel (Pillow's mode {image.mode}): convert it to 8 bits")


def _decode(data: bytes, sides: tuple[int, int] | None, as_shown: bool) -> NDArray[np.uint8]:
    """Return pixels (height, width, 3); `sides` asks for so many, resized and cut from the middle."""
    pillow = _pillow()
    with pillow.open(io.BytesIO(data)) as file:
        if sides is not None:
            file.draft("RGB", (max(sides), max(sides)))  # JPEG decodes at 1/2, 1/4 or 1/8 if that is still large enough
        if as_shown:
            image = rgb_as_shown(file)
        else:
            _check_depth(file)
            image = file.convert("RGB")
    if sides is not None and image.size != sides[::-1]:
        height, width = sides
        wide = min(image.width, image.height * width / height)
        high = min(image.height, image.width * height / width)
        left, top = (image.width - wide) / 2, (image.height - high) / 2
        image = image.resize((width, height), pillow.Resampling.BILINEAR, box=(left, top, left + wide, top + high))
    return np.asarray(image)


def _sides(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    height, width = size if isinstance(size, tuple) else (size, size)
    return check_at_least(height, "size", 1), check_at_least(width, "size", 1)


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("reading images needs Pillow: pip install 'hashindex[train]'") from error
    return Image
