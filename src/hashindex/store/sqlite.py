"""Connections to a database, and errors of SQLite as errors of files."""

from __future__ import annotations

import ctypes
import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from . import forking

WAIT = 10.0  # seconds for another process's lock, which SQLite holds for moments

# What SQLite says, whether the content is wrong or the system's number for it, and what to do.
_MEANINGS: tuple[tuple[str, int | None, str], ...] = (
    ("not a database", None, "is no SQLite database, so there is no store of hashindex"),
    ("malformed", None, "is damaged: restore the folder from a copy"),
    ("no such", None, "is not laid out as a store of hashindex"),
    ("full", errno.ENOSPC, "the disk is full and nothing was changed: call again once there is room"),
    ("readonly", errno.EROFS, "it cannot be written: mode='r' reads it"),
    ("unable to open", errno.EACCES, "SQLite cannot open it, or the files that it keeps beside it"),
    ("locked", errno.EAGAIN, f"another process has locked it for {WAIT:.0f} seconds"),
    ("I/O error", errno.EIO, "the disk failed and nothing was changed"),
)


class Explained:
    """Turns an error of SQLite into OSError or ValueError that names the file, says what was seen and what to do.

    For ``with``: many times in each change, for which a generator would be slow.
    """

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise explanation(self._path, error) from None
        if isinstance(error, UnicodeDecodeError):
            raise ValueError(f"{self._path} is damaged: text in it is none; restore the folder from a copy") from None


def explanation(path: Path, error: sqlite3.Error) -> OSError | ValueError:
    """The error to raise instead."""
    seen = str(error)
    for words, number, meaning in _MEANINGS:
        if words in seen:
            if number is None:
                return ValueError(f"{path} {meaning} (SQLite says: {seen})")
            return OSError(number, f"{meaning} (SQLite says: {seen})", str(path))
    return ValueError(f"{path} is damaged: restore the folder from a copy (SQLite says: {seen})")


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open a database that exists; for reading also one that was left clean on a medium that cannot be written.

    Raises
    ------
    OSError, ValueError
        As :class:`Explained`.
    """
    with Explained(path), forking.connecting[0]:
        try:
            return _connected(path, "mode=rw" if writable else "mode=ro")
        except sqlite3.OperationalError:
            if writable or not _clean(path) or os.access(path.parent, os.W_OK):
                raise
        return _connected(path, "mode=ro&immutable=1")


def keep_open(connection: sqlite3.Connection) -> None:
    """Never close it, nor when this process ends: a parent's, whose transaction a forked child must not touch."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _connected(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True, timeout=WAIT, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # SQLite opens files when it must
    except BaseException:
        connection.close()
        raise
    return connection


def _clean(path: Path) -> bool:
    """Whether nothing waits in a WAL beside it."""
    with suppress(FileNotFoundError):
        return path.with_name(f"{path.name}-wal").stat().st_size == 0
    return True
