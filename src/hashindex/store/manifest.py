"""The database of a store: its tables, what is read from them and what is written."""

from __future__ import annotations

import os
import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..inputs.numbers import MAX_BITS
from ..support.files import sync_folder
from .folder import SEGMENTS
from .format import ForeignFileError
from .log import LogRow
from .sqlite import Explained, connect

APPLICATION = 0x68784964  # "hxId"
VERSION = 1
NAME = "store.sqlite"
UNFINISHED = ".store.sqlite.new"
SYNCHRONOUS = {"always": "FULL", "os": "NORMAL"}

TABLES = {
    "state": "n_bits INTEGER, n_codes INTEGER NOT NULL, next_id INTEGER NOT NULL, next_segment INTEGER NOT NULL, "
    "change INTEGER NOT NULL, restarted INTEGER NOT NULL, meta TEXT NOT NULL",
    "segments": "number INTEGER PRIMARY KEY, place INTEGER NOT NULL",
    "tombstones": "segment INTEGER NOT NULL, change INTEGER NOT NULL, rows BLOB NOT NULL, crc INTEGER NOT NULL",
    "log": "number INTEGER PRIMARY KEY, change INTEGER NOT NULL, removed BLOB, ids, codes BLOB, crc INTEGER NOT NULL",
    "items": "id INTEGER PRIMARY KEY, key TEXT UNIQUE, payload TEXT",
}
SCHEMA = {f"CREATE TABLE {name} ({columns})" for name, columns in TABLES.items()}


class Head(NamedTuple):
    """The one row of ``state``."""

    n_bits: int | None
    n_codes: int
    next_id: int
    next_segment: int
    change: int
    restarted: int
    meta: str


class Told(NamedTuple):
    """What one look at the database told."""

    head: Head
    segments: list[int]  # numbers, in order
    tombstones: list[tuple[int, NDArray[np.int64]]]  # segment and rows, since the change asked for
    log: list[LogRow]  # the whole of it if it was begun anew since
    n_logged: int  # operations in the whole log


class Manifest:
    """A connection to the database of a store.

    Raises
    ------
    OSError, ValueError
        It cannot be opened, is no store's or of a newer format. So do all methods.
    """

    def __init__(self, folder: Path, *, sync: str | None = None) -> None:
        self.path, self._named = folder / NAME, False
        self.connection = connect(self.path, writable=sync is not None)
        try:
            with self.explained():
                self._identify()
                if sync is not None:
                    self.connection.execute("PRAGMA journal_mode = WAL")
                    self.connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[sync]}")
        except BaseException:
            self.connection.close()
            raise

    def explained(self) -> Explained:
        """Errors of SQLite as errors of files."""
        return Explained(self.path)

    def close(self) -> None:
        """Close it; the last connection that may write moves the WAL into the database."""
        with suppress(sqlite3.Error):
            self.connection.close()

    def one(self, question: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.connection.execute(question, values).fetchone()
        return None if row is None else row[0]

    def _identify(self) -> None:
        application = self.one("PRAGMA application_id")
        if application == 0 and next((self.path.parent / SEGMENTS).glob("*.hxs"), None):
            raise ValueError(
                f"{self.path} is damaged: it is no store's, whose segments are there; restore it from a copy"
            )
        if application != APPLICATION:
            raise ForeignFileError(
                f"{self.path} is a database of something else, no store of hashindex; name another folder"
            )
        version = self.one("PRAGMA user_version")
        if version != VERSION:
            raise ForeignFileError(
                f"{self.path} has format {version}, and this hashindex knows format {VERSION}: a newer one may open it"
            )
        if {row[0] for row in self.connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")} != SCHEMA:
            raise ValueError(f"{self.path} is damaged: its tables are not those of a store; restore it from a copy")

    def head(self) -> Head:
        """The state as committed."""
        with self.explained():
            rows = self.connection.execute("SELECT * FROM state LIMIT 2").fetchall()
        head = Head(*rows[0]) if len(rows) == 1 else None
        if head is None or not _is_head(head):
            raise ValueError(f"{self.path} is damaged: {rows!r:.200} is no state of a store; restore it from a copy")
        return head

    def look(self, since: int) -> Told:
        """What was committed after change number ``since``, all from one transaction; -1 for everything."""
        with self.explained():
            self.connection.execute("BEGIN")
            try:
                return self._look(since)
            except (TypeError, OverflowError) as error:
                raise ValueError(f"{self.path} is damaged: {error}; restore it from a copy") from None
            finally:
                self.rollback()

    def _look(self, since: int) -> Told:
        ask = self.connection.execute
        head = self.head()
        if head.change == since:
            return Told(head, [], [], [], 0)
        numbers = [_number(row[0]) for row in ask("SELECT number FROM segments ORDER BY place, number")]
        gone = ask("SELECT segment, rows, crc FROM tombstones WHERE change > ?", (since,))
        tombstones = [(segment, _rows(rows, crc)) for segment, rows, crc in gone]
        after = since if since >= head.restarted else -1
        log = ask("SELECT removed, ids, codes, crc FROM log WHERE change > ? ORDER BY number", (after,))
        size = -(-(head.n_bits or 8) // 8)
        n_logged = self.one(
            "SELECT sum(1 + length(coalesce(removed, '')) / 8 + length(coalesce(codes, '')) / ?) FROM log", size
        )
        return Told(head, numbers, tombstones, [LogRow(*row) for row in log], n_logged or 0)

    def begin(self) -> None:
        """Begin a transaction that writes."""
        with self.explained():
            self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Acknowledge a transaction."""
        with self.explained():
            self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Take back the transaction, if there is one."""
        if self.connection.in_transaction:
            with self.explained():
                self.connection.execute("ROLLBACK")

    def sync_wal(self) -> None:
        """Put on the disk what ``synchronous = NORMAL`` has left to the system."""
        file = os.open(self.path.with_name(f"{NAME}-wal"), os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
        if not self._named:  # SQLite may just have made it
            sync_folder(self.path.parent)
            self._named = True


def create(folder: Path, n_bits: int | None, meta: str) -> None:
    """Make the database of a new store; it has its name once it is complete."""
    new = folder / UNFINISHED
    for ending in ("", "-journal", "-wal", "-shm"):
        new.with_name(f"{new.name}{ending}").unlink(missing_ok=True)
    with Explained(new):
        connection = sqlite3.connect(new, isolation_level=None)
        try:
            connection.execute("BEGIN")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            for statement in sorted(SCHEMA):
                connection.execute(statement)
            connection.execute("INSERT INTO state VALUES (?, 0, 0, 1, 0, 0, ?)", (n_bits, meta))
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    new.replace(folder / NAME)
    sync_folder(folder)
    sync_folder(folder.parent)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 < value < 10**9:
        raise TypeError(f"a segment is numbered {value!r:.80}")
    return value


def _rows(value: Any, crc: Any) -> NDArray[np.int64]:
    if type(value) is not bytes or not value or len(value) % 4 or zlib.crc32(value) != crc:
        raise TypeError(f"tombstones {value!r:.80} are not what was written")
    return np.frombuffer(value, "<u4").astype(np.int64)


def _is_head(head: Head) -> bool:
    counts = (head.n_codes, head.next_id, head.next_segment, head.change, head.restarted)
    sound = all(type(one) is int and one >= 0 for one in counts) and type(head.meta) is str
    return sound and (head.n_bits is None or (type(head.n_bits) is int and 0 < head.n_bits <= MAX_BITS))
