"""The distinct codes of an index, wherever equal ones lie: groups are of codes, and equal codes go together."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..segments.postings import group
from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer
from ..support.interrupts import interruptible


class Distinct(NamedTuple):
    """Distinct codes, numbered from 0 in the order of the smallest id that holds each."""

    snapshot: Snapshot  # their numbers as ids, in one segment
    firsts: NDArray[np.int64]  # (n_distinct,) smallest id that holds each, ascending
    owners: NDArray[np.int64]  # (n_codes,) number of the code under each id, by id


def distinct(snapshot: Snapshot) -> Distinct:
    """Number the distinct codes of a snapshot that is not empty.

    A lone segment without equal codes, or with postings, is not copied, and what is built for it serves on.
    """
    part = snapshot.parts[0]
    if len(snapshot.parts) > 1 or part.n_removed:
        part = Segment.of(part.n_bits, *snapshot.all_codes())
    return interruptible(lambda: _numbered(part), part.codes.nbytes + 8 * part.n_rows)


def _numbered(part: Segment) -> Distinct:
    if part.postings is None:
        firsts, owners = group(part.codes)
    else:
        firsts, owners = part.postings.rows[part.postings.starts[:-1]].astype(np.int64), part.postings.owners
    if len(firsts) == len(part.codes):  # structures that are built for these codes serve here too
        own = replace(part, n_rows=len(firsts), first_id=0, ids=None, postings=None)
    else:
        own = Segment.of(part.n_bits, part.codes[firsts], np.arange(len(firsts)))
    return Distinct(of_segment(own), part.ids_of(firsts), owners)


def of_segment(segment: Segment) -> Snapshot:
    """A snapshot of one segment."""
    return Snapshot(segment.n_bits, (segment,), TailBuffer.empty(0, segment.codes.shape[1]), 0, 0)
