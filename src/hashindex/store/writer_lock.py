"""One writer: a lock on a file, which the system lets go of when the process ends, however it ends."""

from __future__ import annotations

import errno
import os
import weakref
from pathlib import Path
from typing import Any

from ..support.locks import ForkLock

_held: set[tuple[int, int]] = set()  # files, by device and inode, that this process has locked
_looking = ForkLock()


class WriterLock:
    """The lock of a folder, held until :meth:`release`.

    POSIX locks belong to a process: they keep nobody out of the same one, and are lost when it closes the file
    anywhere. So it looks at what it holds itself before it opens the file. A forked child has none of them.

    Raises
    ------
    BlockingIOError
        Another process holds it, or this one does; the message says which.
    OSError
        The folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import fcntl
        except ImportError:
            why = "a store needs POSIX file locks, which this system lacks; save() and load() keep an index in a file"
            raise OSError(errno.ENOTSUP, why) from None
        with _looking.lock:
            self._take(folder / "writer.lock", fcntl)

    def _take(self, path: Path, fcntl: Any) -> None:
        folder = path.parent
        if path.exists() and _identity(path.stat()) in _held:
            raise _taken(folder, f"this process ({os.getpid()})")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                holder = os.read(file, 32).decode("ascii", "replace").strip()
                raise _taken(folder, f"process {holder or 'of an unknown id'}") from None
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode("ascii"), 0)
            identity = _identity(os.fstat(file))
        except BaseException:
            os.close(file)
            raise
        _held.add(identity)
        self._finalizer = weakref.finalize(self, _let_go, file, identity)

    def release(self) -> None:
        """Let others write."""
        self._finalizer()


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _let_go(file: int, identity: tuple[int, int]) -> None:
    _held.discard(identity)
    os.close(file)


def _taken(folder: Path, holder: str) -> BlockingIOError:
    what = f"{holder} has it open for writing, and a store has one writer: close it there, or read with mode='r'"
    return BlockingIOError(errno.EAGAIN, what, str(folder))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_held.clear)
