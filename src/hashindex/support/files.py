"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield the name of a new file beside ``path`` that takes its place once it is written and on the disk.

    Whatever goes wrong meanwhile leaves the old file as it was; a link stays one, to the new file. Nobody else knows
    the name, and its mode is that of any new file. What is no file, such as /dev/stdout, is not replaced: its own name
    is yielded. Raises OSError, of ``path``, where nothing can be written.
    """
    given = Path(path)
    if given.exists() and not given.is_file():
        yield given
        return
    path = Path(os.path.realpath(path))
    new = new_beside(path)
    try:
        new.touch(exist_ok=False)
        yield new
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(new)):
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from None  # a full disk names no file
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)


def new_beside(path: Path) -> Path:
    """A name in the same folder that nobody else knows, for what is to take the place of ``path`` once it is whole."""
    return path.with_name(f".{path.name[:32]}.{os.urandom(8).hex()}.new")


def sync_folder(folder: str | Path) -> None:
    """Put the names in a folder on the disk, where the system can: a power cut no longer undoes a renaming."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole (UTF-8), in place of what was there. Raises OSError."""
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8")


def check_writable(path: str | Path) -> None:
    """Find out now what would only fail after hours of work: OSError where `replacing` cannot write."""
    folder = Path(os.path.realpath(path)).parent
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    if not folder.exists():
        raise FileNotFoundError(f"{path}: the folder {folder} does not exist")
    if path.exists() and not path.is_file():
        return
    try:
        new = new_beside(folder / path.name)
        new.touch(exist_ok=False)
        new.unlink()
    except OSError as error:
        raise type(error)(f"{path} cannot be written: {error.strerror}") from None
