"""Runs of small codes in folders, as `hashindex eval` reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hashindex import pack

N_BITS, N_QUERIES, N_ITEMS, N_CLASSES = 16, 20, 90, 3


def a_run(folder: Path, seed: int, noise: float, *, multi_hot: bool = False) -> None:
    """Write codes that are a class's own with some bits turned."""
    rng = np.random.default_rng(seed)
    centres = rng.random((N_CLASSES, N_BITS)) < 0.5
    folder.mkdir(parents=True)
    for name, n in (("query", N_QUERIES), ("database", N_ITEMS)):
        labels = rng.integers(0, N_CLASSES, n)
        np.save(folder / f"{name}_codes.npy", pack(centres[labels] ^ (rng.random((n, N_BITS)) < noise)))
        np.save(folder / f"{name}_labels.npy", np.eye(N_CLASSES, dtype=np.uint8)[labels] if multi_hot else labels)


def images(folder: Path, channels: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    for name, n in (("query", N_QUERIES), ("database", N_ITEMS)):
        values = rng.random((n, channels, 4, 5)) * (255 if dtype == "uint8" else 1)
        np.save(folder / f"{name}_images.npy", values.astype(dtype))
