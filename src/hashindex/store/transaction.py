"""One transaction: a change, or a batch of them, on its way into the database."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from . import items
from .change import Change
from .log import LogRow
from .manifest import Head, Manifest
from .recovery import View

MOST_LOGGED = 2**16  # operations in the log, beyond which it is begun anew with what the tail holds


@dataclass
class Transaction:
    """What is known of it until it is committed."""

    number: int
    restarted: int  # the change that began the log anew
    n_logged: int
    latest: Snapshot
    written: list[Path]  # files
    is_whole: bool = False  # whether all of the latest change is recorded
    result: View | None = None  # once all is written but the end

    @classmethod
    def after(cls, before: View, latest: Snapshot) -> Transaction:
        """The one that follows a state."""
        return cls(before.head.change + 1, before.head.restarted, before.n_logged, latest, [])

    def record(self, manifest: Manifest, before: View, old: Snapshot, new: Snapshot, change: Change) -> None:
        """Write what a change does to rows of segments, to the tail and to items."""
        with manifest.explained():
            left = change.removed
            if len(left):
                self._bury(manifest, before, old, new, change)
                left = left[np.isin(left, old.tail_ids)]
            n_operations = len(left) + len(change.ids)
            in_tail = not change.cleared and new.n_tail == old.n_tail - len(left) + len(change.ids)
            if in_tail and self.n_logged + n_operations <= MOST_LOGGED:
                row = LogRow.of(left, change.ids, change.codes)
            else:  # what has become a segment, or too much
                manifest.connection.execute("DELETE FROM log")
                row, n_operations = LogRow.of(left[:0], new.tail_ids, new.tail_codes), new.n_tail
                self.restarted, self.n_logged = self.number, 0
            if n_operations:
                self.n_logged += 1 + n_operations
                statement = "INSERT INTO log (change, removed, ids, codes, crc) VALUES (?, ?, ?, ?, ?)"
                manifest.connection.execute(statement, (self.number, *row))
            items.record(manifest, change)

    def bury(self, manifest: Manifest, number: int, written: Segment, segment: Segment) -> None:
        """Write tombstones of what was removed from a segment since its file was written."""
        if segment.removed is not None and segment.removed is not written.removed:
            with manifest.explained():
                self._write_tombstone(manifest, number, segment.removed.beyond(written.removed))

    def _write_tombstone(self, manifest: Manifest, number: int, rows: NDArray[np.int64]) -> None:
        gone = rows.astype("<u4").tobytes()
        row = (number, self.number, gone, zlib.crc32(gone))
        manifest.connection.execute("INSERT INTO tombstones VALUES (?, ?, ?, ?)", row)

    def name(self, manifest: Manifest, before: View, files: dict[int, Segment], next_segment: int) -> None:
        """Name the files of its end, and count it."""
        new, run = self.latest, manifest.connection.execute
        head = Head(new.n_bits, new.n_codes, new.next_id, next_segment, self.number, self.restarted, before.head.meta)
        with manifest.explained():
            if list(files) != list(before.files):
                run("DELETE FROM segments")
                for place, number in enumerate(files):
                    run("INSERT INTO segments VALUES (?, ?)", (number, place))
                for number in before.files.keys() - files.keys():
                    run("DELETE FROM tombstones WHERE segment = ?", (number,))
            columns = ", ".join(f"{column} = ?" for column in Head._fields)
            run(f"UPDATE state SET {columns}", head)
        self.result = View(head, files, new, self.n_logged)

    def _bury(self, manifest: Manifest, before: View, old: Snapshot, new: Snapshot, change: Change) -> None:
        """Write tombstones for segments that go on; of the others' rows, files will tell."""
        for segment in old.segments:
            number = number_of(before.files, segment)
            if number is None or not any(one.codes is segment.codes for one in new.segments):
                continue
            rows, here = segment.find(change.removed)
            if here.any():
                self._write_tombstone(manifest, number, np.unique(rows[here]))


def number_of(files: Mapping[int, Segment], segment: Segment) -> int | None:
    """The number of the file that has a segment's codes."""
    for number, known in files.items():
        if known.codes is segment.codes:
            return number
    return None


def with_news(snapshot: Snapshot, files: Mapping[int, Segment], built: Mapping[int, set[str]]) -> Snapshot:
    """The same state, with other segments instead of those whose file, by number, has less ``built`` than they."""
    segments = []
    for segment in snapshot.segments:
        number = number_of(files, segment)
        news = number is not None and segment.learned.states.keys() - built.get(number, set())
        segments.append(replace(segment, codes=segment.codes[:]) if news else segment)
    return snapshot.with_others(tuple(segments))
