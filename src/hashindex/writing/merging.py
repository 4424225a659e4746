"""Which segments become one, and how: small ones at once, by whoever adds; large ones in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..segments.joining import joined
from ..segments.segment import MOST_REMOVED, Segment
from ..segments.snapshot import Snapshot, in_id_order
from ..structures import STRUCTURES

GROWTH = 4  # a segment is merged into the next when that is not this many times larger
MOST_SEGMENTS = 32  # beyond which who adds waits for merges
MOST_APART = 0.125  # of all rows, outside the largest segment or removed: beyond, an idle index is made one segment


Part = tuple[NDArray[np.uint8], NDArray[np.int64]]  # codes (n, code_size) and ids (n,), ascending


def with_segment(segments: tuple[Segment, ...], n_bits: int, parts: list[Part], engine: Engine) -> tuple[Segment, ...]:
    """Append one of ``parts`` and of the newest small segments that are not ``GROWTH`` times larger than what follows.

    Large ones are :func:`due` later. So it takes about as long as adding did, and each code is copied about
    log(n) / log(GROWTH) times however it comes. What is new has the structures that the largest has: searches that
    had to scan it until they have built them would be the slow ones.
    """
    first, n_after = len(segments), sum(len(ids) for _, ids in parts)
    while first and not segments[first - 1].is_large and segments[first - 1].n_codes < GROWTH * n_after:
        first -= 1
        n_after += segments[first].n_codes
    largest = max(segments, key=lambda one: one.n_rows, default=None)
    new = Segment.of(n_bits, *in_id_order([*(one.live() for one in segments[first:]), *parts])).collapsed(largest)
    if largest is not None:
        largest.learned.apart = 0.0  # one segment of all would not last
        new.learned.shared = largest.learned.shared
        _build(new, largest.learned.states, engine)
    return (*segments[:first], new)


def due(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The large segments that should become one: one of which much was removed, or some that came close in size."""
    large = [one for one in segments if one.is_large]
    for one in large:
        if one.n_removed > MOST_REMOVED * one.n_rows:
            return (one,)
    first = len(large) - 1
    n_after = large[first].n_codes if large else 0
    while first > 0 and large[first - 1].n_codes < GROWTH * n_after:
        first -= 1
        n_after += large[first].n_codes
    return tuple(large[first:]) if first < len(large) - 1 else ()


def is_scattered(snapshot: Snapshot) -> bool:
    """Whether so much has changed that one segment of all pays before anybody has searched: once for many changes."""
    n_rows = snapshot.n_tail + sum(one.n_rows for one in snapshot.segments)
    largest = max((one.n_codes for one in snapshot.segments), default=n_rows)
    return n_rows - largest > MOST_APART * n_rows


def merged(parts: tuple[Segment, ...], engine: Engine, stops: Callable[[], bool]) -> Segment:
    """One segment of what is left of ``parts``, with the structures that the largest has, built on this thread.

    Without them if it ``stops`` before.
    """
    segment = joined(parts).collapsed()
    segment.learned.thought = any(one.learned.thought for one in parts)
    segment.learned.shared = parts[0].learned.shared
    if not stops():
        _build(segment, max(parts, key=lambda one: one.n_rows).learned.states, engine, parts)
    return segment


def _build(segment: Segment, names: Iterable[str], engine: Engine, parts: Sequence[Segment] = ()) -> None:
    """Build the structures of these names for a segment, made of ``parts``, that nobody knows yet, on this thread."""
    if segment.part(engine) is None:  # compiled by Numba, whose lock a child forked meanwhile would find held
        return
    for name in list(names):
        if STRUCTURES[name].may_serve(segment):
            segment.learned.state(name, partial(STRUCTURES[name].build, segment, engine, 1, parts))


def in_place_of(parts: tuple[Segment, ...], segment: Segment, snapshot: Snapshot) -> Snapshot | None:
    """The snapshot with ``segment``, merged of ``parts``, where they are; what was removed since goes there too.

    None if they are not there any more.
    """
    places = [place for place, one in enumerate(snapshot.segments) if any(one.codes is part.codes for part in parts)]
    if len(places) != len(parts):
        return None
    less: Segment | None = segment
    for part, place in zip(parts, places, strict=True):
        one = snapshot.segments[place]
        if one.removed is not None and one.removed is not part.removed and less is not None:
            rows, _ = less.find(one.ids_of(one.removed.beyond(part.removed)))
            less = less.without(rows) if len(rows) else less
    segments = [one for place, one in enumerate(snapshot.segments) if place not in places]
    if less is not None:
        segments.insert(places[0], less)
    snapshot.retire_plans()
    return Snapshot(snapshot.n_bits, tuple(segments), snapshot.tail, snapshot.n_tail, snapshot.next_id)
