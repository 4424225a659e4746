"""What every command does alike: what could fail is found out before the work, and files are written whole."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from .. import engines
from ..engines import Engine
from ..store.folder import SEGMENTS
from ..store.manifest import NAME as MANIFEST
from ..support import files


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[str | Path] = ()) -> None:
    """Raise ValueError, naming the option, where a file could not be written or what is in its place is needed.

    By the option's name; None is no file at all. Needed are the inputs, what another option writes, and all of a store.
    """
    taken = {os.path.realpath(one): "the command reads it" for one in inputs}
    for option, path in outputs.items():
        if path is None:
            continue
        if str(path) == "-":
            raise ValueError(f"{option} -: cannot be written to standard output; name a file")
        try:
            files.check_writable(path)
        except OSError as error:
            raise ValueError(f"{option} {error}") from None
        if path.exists() and not path.is_file():  # a device or a pipe is written into, not replaced
            continue
        place = Path(os.path.realpath(path))
        if str(place) in taken:
            raise ValueError(f"{option} {path}: {taken[str(place)]}; name another file")
        taken[str(place)] = f"{option} writes it"
        folder = place.parent.parent if place.parent.name == SEGMENTS else place.parent
        if is_store(folder):
            raise ValueError(f"{option} {path}: lies in a store, whose files are its own; name a file elsewhere")


def is_store(path: Path) -> bool:
    """Whether a folder holds a store."""
    return (path / MANIFEST).is_file()


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
