"""What is the path of a file or a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def as_path(path: Any, name: str) -> Path:
    """Return a path given as a str or os.PathLike; TypeError for anything else."""
    if isinstance(path, str | os.PathLike):
        return Path(path)
    route = "; from_bytes() reads the bytes of a file" if isinstance(path, bytes | bytearray | memoryview) else ""
    raise TypeError(f"{name} must be a str or a Path, got {path!r:.60}{route}")
