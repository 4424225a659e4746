"""What an open store holds on to, also when it is forgotten without being closed."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass

from . import forking
from .manifest import Manifest
from .writer_lock import WriterLock


@dataclass
class Held:
    """What must be let go of when a store is closed or forgotten."""

    manifest: Manifest | None = None
    lock: WriterLock | None = None


def let_go(held: Held) -> None:
    """Close the database, a writer's without a WAL left behind, then open the lock."""
    with forking.connecting[0]:
        _let_go(held)


def _let_go(held: Held) -> None:
    if held.manifest is not None:
        if held.lock is not None:
            with suppress(sqlite3.Error):
                held.manifest.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        held.manifest.close()
        held.manifest = None
    if held.lock is not None:
        held.lock.release()
        held.lock = None
