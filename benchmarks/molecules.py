"""Makes molecules.npy of the MOSES data: ``python molecules.py train.csv.gz molecules.npy``.

The archive is ``moses/dataset/data/train.csv.gz`` in the wheel of PyPI's ``molsets`` 0.3.1 (MIT license; unzip it, its
requirements are old). Needs PyPI's ``rdkit``, which nothing else here does, and half a minute or more.
"""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path

import numpy as np

N_MOLECULES, N_BITS = 301_000, 1024


def main(source: str, target: str) -> None:
    """Write the fingerprints (n, 128) of some of the molecules, in random order."""
    from rdkit import Chem
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=N_BITS)
    with gzip.open(source, "rt") as file:
        smiles = [row["SMILES"] for row in csv.DictReader(file)]
    codes = np.zeros((N_MOLECULES, N_BITS // 8), np.uint8)
    for row, i in enumerate(np.random.default_rng(0).permutation(len(smiles))[:N_MOLECULES]):
        codes[row] = np.packbits(generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(smiles[i])).astype(bool))
    np.save(Path(target), codes)


if __name__ == "__main__":
    main(*sys.argv[1:])
