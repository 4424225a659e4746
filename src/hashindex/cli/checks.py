"""What every command does alike: what could fail is found out before the work, and files are written whole."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from .. import engines
from ..engines import Engine
from ..support import files


def check_output(option: str, path: Path | None) -> None:
    """Raise ValueError, naming the option, where its file could not be written; None is no file at all."""
    if path is None:
        return
    try:
        files.check_writable(path)
    except OSError as error:
        raise ValueError(f"{option} {error}") from None


def write_output(option: str, path: Path | None, text: str) -> None:
    """Write an option's file, unless it is None, in place of what was there; ValueError where that fails."""
    if path is None:
        return
    try:
        files.write_text(path, text)
    except OSError as error:
        raise ValueError(f"cannot write {option}: {error}") from None


def missing(packages: Iterable[str]) -> str:
    """Name the packages that are not installed, joined by commas."""
    return ", ".join(name for name in packages if find_spec(name) is None)


def engine_in_use() -> tuple[Engine, list[str]]:
    """The engine that searches use here, and what loading it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine = engines.load()
    return engine, [str(warning.message) for warning in caught]
