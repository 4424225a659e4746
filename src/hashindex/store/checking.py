"""Looking at everything: what is in memory fits together, and what is on the disk is what was written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..segments.snapshot import Snapshot
from ..support.progress import Tell
from . import items
from .contents import check_codes, check_ids
from .durable import Store
from .folder import segment_path
from .manifest import Manifest
from .recovery import View, view
from .segment_file import read_segment


def check_snapshot(snapshot: Snapshot, tell: Tell) -> None:
    """ValueError that says which part of a snapshot is not as it must be."""
    if snapshot.n_bits is None:
        return
    seen: list[NDArray[np.int64]] = []
    for place, segment in enumerate(snapshot.parts):
        tell(sum(map(len, seen)))
        name = f"segment {place}" if place < len(snapshot.segments) else "the tail"
        try:
            codes, ids = segment.live()
            if len(codes) != segment.n_codes or len(ids) != segment.n_codes:
                raise ValueError(f"{segment.n_codes:,} codes are counted, and {len(codes):,} are there")
            check_codes(codes, snapshot.n_bits)
            check_ids(ids)
            seen.append(ids)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    together = np.sort(np.concatenate(seen)) if seen else np.empty(0, np.int64)
    twice = np.flatnonzero(together[1:] == together[:-1])
    if len(twice):
        raise ValueError(f"id {together[twice[0]]} is in two parts of the index")
    if len(together) and together[-1] >= snapshot.next_id:
        raise ValueError(f"id {together[-1]} is in use, and {snapshot.next_id} would be given out next")
    if len(together) != snapshot.n_codes:
        raise ValueError(f"{snapshot.n_codes:,} codes are counted, and {len(together):,} are there")


def check_store(store: Store, snapshot: Snapshot, tell: Tell) -> None:
    """ValueError, OSError that says which file of a store is not as it must be, or is not what is in memory.

    Looks at each code twice: in its file, and then together with the others.
    """
    fresh, noted = store.ask(_read)
    while not _check_files(store, fresh, tell):
        fresh, noted = store.ask(_read)
    in_files = sum(one.n_rows for one in fresh.snapshot.segments)
    check_snapshot(fresh.snapshot, lambda done: tell(in_files + done))
    ids = fresh.snapshot.all_ids()
    if store.mode == "w" and not np.array_equal(ids, snapshot.all_ids()):
        raise ValueError(f"{store.folder} does not hold the {snapshot.n_codes:,} codes of the index: open it again")
    stray = noted[~np.isin(noted, ids)]
    if len(stray):
        raise ValueError(f"{store.folder} has a key or a payload of id {stray[0]}, which is not in the index")


def _check_files(store: Store, fresh: View, tell: Tell) -> bool:
    """Read every byte of the segments; False if a writer has replaced one meanwhile."""
    done = 0
    for number, known in fresh.files.items():
        tell(done)
        done += known.n_rows
        path = segment_path(store.folder, number)
        try:
            segment, _ = read_segment(path)
        except FileNotFoundError:
            if store.ask(lambda manifest: manifest.head()).change == fresh.head.change:
                raise
            return False
        if segment.n_rows != known.n_rows:
            raise ValueError(f"{path} changed while it was looked at")
    return True


def _read(manifest: Manifest) -> tuple[View, NDArray[np.int64]]:
    """A state, and the ids that have a key or a payload in it."""
    with manifest.explained():
        answer = manifest.one("PRAGMA integrity_check")
    if answer != "ok":
        raise ValueError(f"{manifest.path} is damaged: restore the folder from a copy (SQLite says: {answer})")
    found = view(manifest)
    while (noted := items.all_ids(manifest, found.head.change)) is None:  # a writer has gone on since
        found = view(manifest, found)
    return found, np.array(noted, np.int64)
