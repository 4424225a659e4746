"""From a folder to a snapshot: all of it at first, later what has been committed since."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer
from .folder import segment_path
from .log import replay
from .manifest import Head, Manifest, Told
from .segment_file import read_segment

TRIES = 100  # to open what a writer goes on replacing


class View(NamedTuple):
    """What a process knows of a store."""

    head: Head
    files: dict[int, Segment]  # by number, as known so far: a file, less the rows that were removed
    snapshot: Snapshot
    n_logged: int  # operations in the log


def view(manifest: Manifest, before: View | None = None) -> View:
    """Return what the store holds; what is known from ``before`` is not read again.

    Raises
    ------
    OSError
        A file is gone or cannot be read.
    ValueError
        Something is damaged; the message names the file.
    """
    since = -1 if before is None else before.head.change
    for _ in range(TRIES):
        told = manifest.look(since)
        if before is not None and told.head.change == since:
            return before
        try:
            files = _opened(manifest, told, {} if before is None else before.files)
        except FileNotFoundError as error:
            if manifest.head().change == told.head.change:
                raise _gone(manifest, error) from None
            continue  # the writer has replaced the segment since
        return _view(manifest, told, files, before)
    raise OSError(f"{manifest.path} changed {TRIES} times while it was read: call again")


def _opened(manifest: Manifest, told: Told, known: dict[int, Segment]) -> dict[int, Segment]:
    """The segments that the manifest names, less the rows that were removed."""
    gone: dict[int, list[NDArray[np.int64]]] = defaultdict(list)
    for number, rows in told.tombstones:
        gone[number].append(rows)
    files = {}
    for number in told.segments:
        path = segment_path(manifest.path.parent, number)
        segment = known.get(number) or read_segment(path, mmap=True)[0]
        if segment.n_bits != told.head.n_bits:
            raise ValueError(f"{path} has codes of {segment.n_bits} bits, and its store of {told.head.n_bits}")
        if number in gone and max(int(rows.max()) for rows in gone[number]) >= segment.n_rows:
            raise ValueError(f"{manifest.path} is damaged: a tombstone is of no row of {path}; restore it from a copy")
        kept = _without(segment, np.concatenate(gone[number])) if number in gone else segment
        if kept is not None:
            files[number] = kept
        elif number not in known:
            raise ValueError(f"{manifest.path} is damaged: nothing is left of {path}, and yet it is named")
    return files


def _without(segment: Segment, rows: NDArray[np.int64]) -> Segment | None:
    at, here = segment.find(segment.ids_of(np.unique(rows)))
    if np.count_nonzero(here) == segment.n_codes:
        return None
    return segment.marked(at[here]) if here.any() else segment  # never copied: it stays that of its file


def _view(manifest: Manifest, told: Told, files: dict[int, Segment], before: View | None) -> View:
    head, segments = told.head, tuple(files.values())
    old = Snapshot.empty(head.n_bits) if before is None else before.snapshot
    goes_on = before is not None and before.head.change >= head.restarted and old.n_bits == head.n_bits
    start = old if goes_on else Snapshot.empty(head.n_bits)
    try:
        codes, ids = replay(start.tail_codes, start.tail_ids, told.log)
    except ValueError as error:
        raise ValueError(f"{manifest.path} is damaged: {error}; restore it from a copy") from None
    tail = TailBuffer(codes, ids)
    same = len(segments) == len(old.segments) and all(a is b for a, b in zip(segments, old.segments, strict=True))
    if same and old.n_bits == head.n_bits:
        snapshot = old.with_tail(tail, len(ids), head.next_id)
    else:
        old.retire_plans()
        snapshot = Snapshot(head.n_bits, segments, tail, len(ids), head.next_id)
    if snapshot.n_codes != head.n_codes:
        what = f"{snapshot.n_codes:,} codes are there, and {head.n_codes:,} were written"
        raise ValueError(f"{manifest.path} is damaged: {what}; restore it from a copy")
    return View(head, files, snapshot, told.n_logged)


def _gone(manifest: Manifest, error: FileNotFoundError) -> FileNotFoundError:
    what = f"the segment is gone, and {manifest.path} names it: restore the folder from a copy"
    return FileNotFoundError(error.errno, what, error.filename)
