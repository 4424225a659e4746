"""A process that adds hashes with payloads to a store until it is killed: `python storing.py FOLDER N`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hashindex import HashIndex

BATCH = 1000


def codes(n: int) -> NDArray[np.uint8]:
    """The hashes, the same in every process."""
    return np.random.default_rng(7).integers(0, 256, (n, 8), dtype=np.uint8)


def main(folder: Path, n: int) -> None:
    """Go on where the store ends, telling how many hashes are in it after each batch."""
    hashes = codes(n)
    with HashIndex.open(folder, n_bits=64) as index:
        print(len(index), flush=True)
        for begin in range(len(index), n, BATCH):
            names = [f"image {i}.jpg" for i in range(begin, begin + BATCH)]
            index.add(hashes[begin : begin + BATCH], keys=names, payloads=[{"file": name} for name in names])
            print(len(index), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
