"""What is looked at before a store is opened, so that what is refused is left as it was."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

from ..inputs.meta import check_meta
from ..support.files import sync_folder
from .folder import SEGMENTS, is_free
from .manifest import NAME, Head, Manifest, create
from .writer_lock import WriterLock


def look_at(folder: Path, mode: str) -> None:
    """Raise unless there is a store of this format, or, for writing, room for a new one."""
    if (folder / NAME).exists():
        Manifest(folder).close()
    elif folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "a store is a folder, and this is a file", str(folder))
    elif not folder.exists() or is_free(folder):
        if mode == "r":
            raise FileNotFoundError(errno.ENOENT, "there is no store to read: mode='w' makes one", str(folder))
        if not folder.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the folder that it should be made in does not exist", str(folder))
    else:
        names = ", ".join(sorted(path.name for path in folder.iterdir())[:3])
        raise ValueError(f"{folder} is no store: there is no {NAME} among {names}; name a new folder or an empty one")


def locked(folder: Path, n_bits: int | None, meta: Any) -> WriterLock:
    """Lock a folder for writing; make a store in it if there is none."""
    try:
        folder.mkdir(exist_ok=True)
        lock = WriterLock(folder)
    except BlockingIOError:
        raise
    except OSError as error:
        advice = ": mode='r' reads it" if (folder / NAME).exists() else ""
        what = f"cannot be opened for writing ({error.strerror}){advice}"
        raise type(error)(error.errno, what, str(folder)) from None
    try:
        (folder / SEGMENTS).mkdir(exist_ok=True)
        if not (folder / NAME).exists():
            create(folder, n_bits, json.dumps(meta or {}, allow_nan=False))
            sync_folder(folder.parent)
    except BaseException:
        lock.release()
        raise
    return lock


def checked_head(folder: Path, head: Head, n_bits: int | None, meta: Any) -> dict[str, Any]:
    """The ``meta`` of a store; ValueError where it is damaged, or the store is not what the caller takes it for."""
    try:
        kept = check_meta(json.loads(head.meta))
    except (TypeError, ValueError, RecursionError):
        what = f"is damaged: meta {head.meta!r:.200} is none of an index; restore it from a copy"
        raise ValueError(f"{folder / NAME} {what}") from None
    if None not in (n_bits, head.n_bits) and n_bits != head.n_bits:
        raise ValueError(f"{folder} holds codes of {head.n_bits} bits, not {n_bits}: leave n_bits out, or name another")
    if meta is not None and json.loads(json.dumps(meta, allow_nan=False)) != kept:
        raise ValueError(f"{folder} was made with meta={head.meta}, not {meta!r}: leave meta out, or name another")
    return kept
