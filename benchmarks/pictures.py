"""Makes pictures.npy, PDQ hashes of CIFAR-10: ``python pictures.py cifar10.zip pictures.npy`` (a minute).

Needs PyPI's ``pdqhash``. Most of the pictures are unlike each other; their hashes are close to uniform.
"""

from __future__ import annotations

import io
import sys
import zipfile

import numpy as np
import pdqhash
from PIL import Image


def main(source: str, target: str) -> None:
    """Write the hashes (60000, 32) of all JPEGs of the archive, in random order."""
    with zipfile.ZipFile(source) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        codes = np.empty((len(names), 32), np.uint8)
        for row, i in enumerate(np.random.default_rng(0).permutation(len(names))):
            with Image.open(io.BytesIO(archive.read(names[i]))) as picture:
                bits, _ = pdqhash.compute(np.asarray(picture.convert("RGB")))
            codes[row] = np.packbits(bits.astype(bool))
    np.save(target, codes)


if __name__ == "__main__":
    main(*sys.argv[1:])
