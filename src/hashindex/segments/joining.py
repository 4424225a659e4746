"""Several segments as one, copied once and bit by bit: nothing else of their size is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..support.interrupts import interruptible
from ..support.progress import Tell
from .segment import Segment

STEP = 2**20  # rows copied at once: Ctrl-C waits for no more; after much shorter calls nobody would get the GIL


def joined(parts: Sequence[Segment], tell: Tell = lambda _: None) -> Segment:
    """One segment of the rows of ``parts``, at least one, that were not removed; tells how many it has copied.

    Where ids are counted on from part to part none are written down; where those of different parts lie between each
    other all is copied a second time.
    """
    parts = sorted((one for one in parts if one.n_codes), key=lambda one: one.first_id)
    n_rows, at = sum(one.n_codes for one in parts), 0
    codes = np.empty((n_rows, parts[0].codes.shape[1]), np.uint8)
    counted = _counted(parts)
    ids = np.empty(0 if counted else n_rows, np.int64)
    mixed = False  # whether a part has ids below those of one before it
    for part in parts:
        first, plain = at, part.removed is None and part.postings is None
        for rows in _steps(part):
            n = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
            codes[at : at + n] = part.codes[rows] if plain else part.codes_at(_numbers(rows))
            if not counted:
                ids[at : at + n] = part.ids_of(_numbers(rows)) if part.ids is None else part.ids[rows]
            at += n
            tell(at)
        mixed = mixed or (not counted and first > 0 and bool(ids[first] < ids[first - 1]))
    if counted:
        return Segment.of(parts[0].n_bits, codes, range(parts[0].first_id, parts[0].first_id + n_rows))
    if mixed:
        return interruptible(lambda: _in_id_order(parts[0].n_bits, codes, ids), n_rows * (8 + codes.shape[1]))
    return Segment.of(parts[0].n_bits, codes, ids)


def _counted(parts: Sequence[Segment]) -> bool:
    """Whether each part counts its ids on from where the one before ends, and nothing was removed."""
    follows = all(one.first_id + one.n_rows == other.first_id for one, other in pairwise(parts))
    return follows and all(one.ids is None and not one.n_removed for one in parts)


def _steps(part: Segment) -> Iterator[slice | NDArray[np.int64]]:
    """The rows that are left, step by step: a slice where all are, which takes no list of them."""
    for begin in range(0, part.n_rows, STEP):
        end = min(begin + STEP, part.n_rows)
        yield slice(begin, end) if part.removed is None else begin + np.flatnonzero(part.removed.kept(begin, end))


def _numbers(rows: slice | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


def _in_id_order(n_bits: int, codes: NDArray[np.uint8], ids: NDArray[np.int64]) -> Segment:
    order = np.argsort(ids, kind="stable")
    return Segment.of(n_bits, codes[order], ids[order])
