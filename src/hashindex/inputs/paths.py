"""What is the path of a file or a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def as_path(path: Any, name: str) -> Path:
    """Return a path given as a str or os.PathLike; TypeError for anything else."""
    given = os.fspath(path) if isinstance(path, os.PathLike) else path
    if isinstance(given, str):
        return Path(given)
    routes = "; os.fsdecode() makes a str of such a path, from_bytes() reads the bytes of a file"
    is_bytes = isinstance(given, bytes | bytearray | memoryview)
    raise TypeError(f"{name} must be a str or a Path, as 'folder/name', got {given!r:.60}{routes if is_bytes else ''}")
