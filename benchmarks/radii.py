"""Distances of real hashes: of one picture altered, and of different pictures.

python benchmarks/radii.py

Writes benchmarks/results/radii.json, of which ``report.py`` makes the tables and the picture of docs/radius.md. Needs
HASHINDEX_DATA, a folder with cifar10.zip and with ``vpdq``, the ``sample-hashes`` of the source distribution of PyPI's
vpdq 0.2.5.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from sets import Codes, pictures

import hashindex as hx
from hashindex.evaluate import distance_histograms
from hashindex.support import machine

RESULTS = Path(__file__).parent / "results" / "radii.json"
LEAST_QUALITY = 50  # of a PDQ; below, it says little
N_ALTERED = 10_000  # pictures

# Videos: the same frames, and how many frames later they come. A name stands for all files that begin with it.
VIDEOS: dict[str, list[tuple[str, str, int]]] = {
    "1080 to 720 lines": [("chair-orig-22-fhd-no-bar", "chair-orig-22-hd-no-bar", 1)],
    "grey": [("chair-orig-22-sd-bar", "chair-22-sd-grey-bar", 0)],
    "sepia": [("chair-orig-22-sd-bar", "chair-22-sd-sepia-bar", 0)],
    "a small logo": [
        ("chair-orig-22-sd-bar", "chair-22-with-small-logo-bar", 0),
        ("pattern-sd-grey-bar", "pattern-sd-with-small-logo-bar", 0),
    ],
    "a large logo": [
        ("chair-orig-22-sd-bar", "chair-22-with-large-logo-bar", 0),
        ("pattern-sd-grey-bar", "pattern-sd-with-large-logo-bar", 0),
    ],
    "bars": [
        ("chair-orig-22-hd-no-bar", "chair-orig-22-sd-bar", 0),
        ("pattern-hd-no-bar", "pattern-sd-grey-bar", 0),
    ],
}
SQUEEZED = "-128x128"  # what such copies of a video are called

# Photographs of 32 x 32 pixels, altered.
ALTERED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG of quality 50": lambda image: saved(image, 50),
    "twice the size": lambda image: image.resize((64, 64)),
    "half the size": lambda image: image.resize((16, 16)),
    "brighter by a quarter": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "a logo on 1/16": lambda image: covered(image),
    "1/16 cut off each way": lambda image: image.crop((1, 1, 31, 31)),
    "bars": lambda image: ImageOps.expand(image.resize((32, 24)), (0, 4)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}
MORE = ("a large logo", "bars", "a logo on 1/16", "1/16 cut off each way", "mirrored")  # more than saved anew
HASHES: dict[str, Callable[[Image.Image], NDArray[Any]]] = {
    "PDQ": lambda image: pdqhash.compute(np.asarray(image))[0],
    "pHash": lambda image: imagehash.phash(image).hash.ravel(),
    "dHash": lambda image: imagehash.dhash(image).hash.ravel(),
}

# CIFAR-10 has some pictures several times. A pair is one picture if its grey pixels correlate, at their best of shifts.
ONE_PICTURE, SHIFTS = 0.9, 3
LOOKED_AT = {"PDQ": 72, "pHash": 10, "dHash": 10}  # radii within which pairs are looked at


def saved(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def covered(image: Image.Image) -> Image.Image:
    """With a white square in a corner."""
    image = image.copy()
    image.paste((255, 255, 255), (22, 22, 30, 30))
    return image


def counted(distances: NDArray[Any], n_bits: int) -> list[int]:
    """How many there are at each distance from 0 to n_bits."""
    return [int(count) for count in np.bincount(distances, minlength=n_bits + 1)]


def apart(codes: Codes, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of codes of different groups, at each distance."""
    n_bits = codes.shape[1] * 8
    found = distance_histograms(codes, codes, groups, groups, n_bits=n_bits)
    different: NDArray[np.int64] = (found.items - found.relevant).sum(axis=0) // 2
    return different


def videos(folder: Path) -> dict[str, Any]:
    """Frames by PDQ, as in the sample hashes of vPDQ."""
    frames = {path.stem: frames_of(path) for path in sorted(folder.glob("*.txt"))}
    pairs = {"128 x 128 pixels": [(name, name + SQUEEZED, 0) for name in frames if name + SQUEEZED in frames], **VIDEOS}
    altered = {name: np.concatenate([between(frames, *one) for one in some]) for name, some in pairs.items()}
    scenes = sorted({name.split("-")[0] for name in frames})
    codes = [np.unique(hx.from_hex(of_scene(frames, scene), 256), axis=0) for scene in scenes]
    groups = np.repeat(np.arange(len(scenes)), [len(some) for some in codes])
    return {
        "name": "PDQ, frames of videos",
        "n_bits": 256,
        "n_codes": len(groups),
        "altered": {name: counted(distances, 256) for name, distances in altered.items()},
        "different": apart(np.concatenate(codes), groups).tolist(),
        "n_scenes": len(scenes),
    }


def frames_of(path: Path) -> dict[int, str]:
    """Hashes by number of the frame, those of some quality."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    return {int(row[0]): row[2] for row in rows if int(row[1]) >= LEAST_QUALITY}


def of_scene(frames: dict[str, dict[int, str]], scene: str) -> list[str]:
    return [code for name, some in frames.items() if name.split("-")[0] == scene for code in some.values()]


def between(frames: dict[str, dict[int, str]], one: str, other: str, later: int) -> NDArray[np.int64]:
    """Distances of the frames of a video to those of another, which come some frames ``later`` in the first."""
    both = [i for i in frames[other] if i + later in frames[one]]
    left, right = [frames[one][i + later] for i in both], [frames[other][i] for i in both]
    return hx.hamming(hx.from_hex(left, 256), hx.from_hex(right, 256)).astype(np.int64)


def photographs() -> Iterator[dict[str, Any]]:
    """CIFAR-10 by each of the hashes."""
    pixels = np.concatenate([pictures(split, "RGB") for split in ("test", "train")])
    images = [Image.fromarray(one) for one in pixels]
    codes = {name: hashed(images, name) for name in HASHES}
    same = np.unique(np.concatenate([one_picture(pixels, codes[name], LOOKED_AT[name]) for name in HASHES]), axis=0)
    some = images[:N_ALTERED]
    for name in HASHES:
        of_name = codes[name]
        n_bits = of_name.shape[1] * 8
        altered = {
            alteration: counted(hx.hamming(of_name[: len(some)], hashed([alter(one) for one in some], name)), n_bits)
            for alteration, alter in ALTERED.items()
        }
        known = counted(hx.hamming(of_name[same[:, 0]], of_name[same[:, 1]]), n_bits)
        yield {
            "name": f"{name}, photographs",
            "n_bits": n_bits,
            "n_codes": len(of_name),
            "altered": altered,
            "different": (apart(of_name, np.arange(len(of_name))) - known).tolist(),
            "n_left_out": len(same),
        }


def hashed(images: list[Image.Image], name: str) -> Codes:
    return hx.pack(np.array([HASHES[name](image) for image in images], np.bool_))


def one_picture(pixels: NDArray[np.uint8], codes: Codes, radius: int) -> NDArray[np.int64]:
    """The pairs (n, 2) within a radius that are one picture by their pixels."""
    index = hx.HashIndex(codes.shape[1] * 8)
    index.add(codes)
    pairs = np.concatenate([np.stack([block.ids_a, block.ids_b], axis=1) for block in index.pairs(radius=radius)])
    grey = pixels.mean(axis=3, dtype=np.float32)
    inner = grey.shape[1] - 2 * SHIFTS
    left = centred(grey[pairs[:, 0], SHIFTS : SHIFTS + inner, SHIFTS : SHIFTS + inner])
    best = np.full(len(pairs), -1.0)
    for down, right in np.ndindex(2 * SHIFTS + 1, 2 * SHIFTS + 1):
        shifted = centred(grey[pairs[:, 1], down : down + inner, right : right + inner])
        best = np.maximum(best, (left * shifted).sum(axis=(1, 2)))
    return pairs[best > ONE_PICTURE]


def centred(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Less its mean, and of length 1."""
    grey = grey - grey.mean(axis=(1, 2), keepdims=True)
    lengths = np.sqrt(np.square(grey).sum(axis=(1, 2), keepdims=True))
    unit: NDArray[np.float32] = grey / np.maximum(lengths, np.float32(1e-6))
    return unit


def main() -> None:
    folder = Path(os.environ.get("HASHINDEX_DATA", "nowhere"))
    if not (folder / "vpdq").is_dir() or not (folder / "cifar10.zip").exists():
        sys.exit("HASHINDEX_DATA names no folder with cifar10.zip and vpdq, see above in this file")
    versions = {name: machine.installed(name) for name in ("pdqhash", "imagehash", "pillow")}
    sets = [videos(folder / "vpdq"), *photographs()]
    RESULTS.write_text(json.dumps({"versions": versions, "more": MORE, "sets": sets}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
