"""Photos in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photos import Pixels, save


@pytest.fixture
def photos(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, list[str], Pixels]:
    """Seven images of 5 x 6 pixels in a folder."""
    pixels = rng.integers(0, 256, (7, 3, 5, 6), dtype=np.uint8)
    names = [f"a/photo {i}.png" for i in range(7)]
    for name, image in zip(names, pixels, strict=True):
        save(tmp_path / "images" / name, image)
    return tmp_path / "images", names, pixels
