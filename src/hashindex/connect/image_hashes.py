"""Perceptual hashes of pictures: codes that are near where pictures look alike.

PDQ (Meta's, by PyPI's ``pdqhash``) is the best of them, then pHash (by ``imagehash``); the signs of differences of
neighbouring pixels (dHash: Krawetz, "Kind of Like That", 2013) need Pillow alone.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..codes import pack
from ..learn.data.images import rgb_as_shown
from ..support.lazy import needed

SIDE = 8  # of the differences of neighbouring pixels
Bits = NDArray[np.bool_]


class Algorithm(NamedTuple):
    """How pictures become codes."""

    name: str
    needs: str  # a package, beside Pillow
    n_bits: int
    radius: int  # within which two pictures look alike
    least_side: int  # pixels: as many frequencies, or grey values, as it looks at
    hash: Callable[[Any], tuple[Bits, int]]  # of a picture in RGB: bits (n_bits,), and how much they say, 0 to 100


class Hashed(NamedTuple):
    """A picture's code, its size in pixels, and how much the code says of it, 0 to 100."""

    code: bytes
    width: int
    height: int
    quality: int


def open_as_shown(path: Path) -> Any:
    """A picture in RGB as a viewer shows it: turned as its EXIF data says, white where there is nothing.

    Raises
    ------
    OSError, ValueError
        The file is no picture that Pillow reads, or has more than 8 bits a channel.
    """
    image_module = needed("PIL.Image", "reading images", "images")
    try:
        with image_module.open(path) as opened:
            return rgb_as_shown(opened)
    except (SyntaxError, EOFError, image_module.DecompressionBombError) as error:  # of broken files
        raise ValueError(str(error)) from None


def hash_image(path: Path, how: Algorithm) -> Hashed:
    """Hash a picture, of quality 0 if it is too small; OSError or ValueError as :func:`open_as_shown`."""
    image = open_as_shown(path)
    width, height = image.size
    too_small = min(width, height) < how.least_side
    bits, quality = (np.zeros(how.n_bits, np.bool_), 0) if too_small else how.hash(image)
    return Hashed(pack(bits).tobytes(), width, height, quality)


def algorithm(name: str | None = None) -> Algorithm:
    """The algorithm of that name, or the best for which everything is installed.

    Raises
    ------
    ValueError
        There is none of that name.
    ImportError
        It needs what is not installed.
    """
    if name is None:
        return next((one for one in ALGORITHMS if find_spec(one.needs) is not None), ALGORITHMS[-1])
    for one in ALGORITHMS:
        if one.name == name:
            needed(one.needs, f"the hash {name}", "images")
            return one
    raise ValueError(f"no hash is named {name!r}; there are {', '.join(one.name for one in ALGORITHMS)}")


def _pdq(image: Any) -> tuple[Bits, int]:
    bits, quality = needed("pdqhash", "the hash pdq", "images").compute(np.asarray(image))
    return bits.astype(np.bool_), int(quality)


def _phash(image: Any) -> tuple[Bits, int]:
    bits = needed("imagehash", "the hash phash", "images").phash(image).hash.ravel()
    return bits, _flatness(image)


def _dhash(image: Any) -> tuple[Bits, int]:
    grey = np.asarray(image.convert("L").resize((SIDE + 1, SIDE), 1), np.int16)  # Lanczos
    return (np.diff(grey, axis=1) > 0).ravel(), _flatness(image)


def _flatness(image: Any) -> int:
    """100 where brightness varies enough to tell pictures apart, less for flat ones."""
    grey = np.asarray(image.convert("L").resize((SIDE, SIDE), 4), np.float64)  # box
    return min(100, round(10 * float(grey.std())))


ALGORITHMS = (
    Algorithm("pdq", "pdqhash", 256, 31, 16, _pdq),
    Algorithm("phash", "imagehash", 64, 8, 8, _phash),
    Algorithm("dhash", "PIL", 64, 4, SIDE + 1, _dhash),
)
