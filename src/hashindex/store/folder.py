"""The folder of a store: what lies there, and what does not belong."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

SEGMENTS = "segments"
_OURS = re.compile(r"\d{8,9}\.hxs|\.\d{8,9}\.hxs\..*")  # segments, and those under way


def segment_path(folder: Path, number: int) -> Path:
    """Where a segment lies."""
    return folder / SEGMENTS / f"{number:08d}.hxs"


def sweep(folder: Path, named: Collection[int]) -> None:
    """Remove segments that are not ``named``: what crashes left. Others' files stay."""
    kept = {segment_path(folder, number).name for number in named}
    for path in (folder / SEGMENTS).iterdir():
        if path.name not in kept and _OURS.fullmatch(path.name):
            with suppress(OSError):
                path.unlink()


def is_free(folder: Path) -> bool:
    """Whether a store may be made there: nothing is there but what a crash left of making one."""
    ours = re.compile(r"writer\.lock|segments|\.store\.sqlite\.new.*")
    return all(ours.fullmatch(path.name) for path in folder.iterdir()) and not (
        (folder / SEGMENTS).exists() and any((folder / SEGMENTS).iterdir())
    )
