"""The readable path: part after part by its structure, then postings, ids and the merge, in NumPy.

Engines without whole searches take it, and structures that an engine has no form of.
"""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.hits import HitBudget
from ..engines.query import NearestQuery, RadiusQuery
from ..engines.results import TooManyHits, Work
from ..matches import NearestMatches, RadiusMatches
from ..segments.postings import DAMAGED, expand_nearest, expand_radius
from ..segments.segment import Segment
from .merging import first_of_each, merge_nearest, merge_radius
from .plan import PlannedPart

TIED_TOGETHER = 128  # queries, each of which may find a good part of the codes


class Report(NamedTuple):
    """What was done in one part."""

    lookups: int
    candidates: int
    nanoseconds: float


def within(parts: list[PlannedPart], query: RadiusQuery, engine: Engine, reports: list[Report]) -> RadiusMatches:
    """Every code within ``query.radii[q]`` of each query q."""
    found: list[RadiusMatches] = []
    budget = HitBudget(query.most_hits, len(query.codes))
    for part in parts:
        start, segment = perf_counter(), part.segment
        offsets, distances, at, work = part.choice.structure.radius(
            segment, part.choice.state, query, part.kind, engine
        )
        if len(at) > len(query.codes) * len(segment.codes):
            raise ValueError(DAMAGED)
        postings = segment.live_postings
        if postings is not None:
            if budget.left is not None and postings.held_by(at) > budget.left:
                raise TooManyHits
            offsets, distances, at = expand_radius(offsets, distances, at, postings)
        found.append(RadiusMatches(offsets, distances, _ids(segment, budget.take(at))))
        reports.append(_report(work, start))
    return merge_radius(found, len(query.codes))


def nearest(
    parts: list[PlannedPart], query: NearestQuery, engine: Engine, reports: list[Report]
) -> tuple[NearestMatches, NDArray[np.bool_]]:
    """The ``query.k`` nearest codes of each query q within ``query.radii[q]``, and which answers are proven."""
    k, proven = query.k, np.ones(len(query.codes), np.bool_)
    found: list[NearestMatches] = []
    for part in parts:
        start, segment = perf_counter(), part.segment
        few = query._replace(k=min(k, len(segment.codes)))
        distances, at, work, vouched = part.choice.structure.nearest(segment, part.choice.state, few, part.kind, engine)
        if vouched is not None:
            proven &= vouched
        if part.looked is not None:
            np.add.at(part.looked, np.minimum(distances[:, -1], query.radii), 1)
        postings = segment.live_postings
        if postings is not None:
            n_rows = min(k, segment.n_rows)
            near, rows = expand_nearest(distances, at, n_rows, postings)
            unsettled = _unsettled(segment, distances, at, near, rows)
            for begin in range(0, len(unsettled), TIED_TOGETHER):
                some = unsettled[begin : begin + TIED_TOGETHER]
                tied = RadiusQuery(query.codes[some], distances[some, -1], query.n_threads)
                offsets, away, codes, done = engine.scan.radius(segment.rows, tied)
                work = Work(work.lookups + done.lookups, work.candidates + done.candidates)
                near[some], rows[some] = first_of_each(*expand_radius(offsets, away, codes, postings), n_rows)
            distances, at = near, rows
        of_part = NearestMatches(distances, np.where(at < 0, -1, _ids(segment, at)))
        found = [merge_nearest([*found, of_part], len(query.codes), k)]
        query = query._replace(radii=np.minimum(query.radii, found[0].distances[:, -1]))  # limits the next part
        reports.append(_report(work, start))
    return merge_nearest(found, len(query.codes), k), proven


def _unsettled(
    segment: Segment,
    distances: NDArray[np.int32],
    found: NDArray[np.int64],
    near: NDArray[np.int32],
    rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Queries whose nearest ``rows`` may be others, since rows were removed.

    Distinct codes are ordered by their first row, removed or not. Of those that tie with the last of the k that were
    ``found``, and were not found, all rows are therefore behind its first row.
    """
    k = found.shape[1]
    if segment.removed is None or segment.postings is None or k == len(segment.codes):
        return np.empty(0, np.int64)
    firsts, last = segment.postings.firsts(np.maximum(found[:, -1], 0)), distances[:, -1]
    is_behind = (near[:, k - 1] > last) | ((near[:, k - 1] == last) & (rows[:, k - 1] > firsts))
    return np.flatnonzero(is_behind & (found[:, -1] >= 0))


def _ids(segment: Segment, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ids of rows; ValueError for one that is not there, as a damaged file may name it."""
    if rows.size and rows.max() >= segment.n_rows:
        raise ValueError(DAMAGED)
    return segment.ids_of(rows)


def as_radii(radii: int | NDArray[np.int32], n_queries: int) -> NDArray[np.int32]:
    """One radius per query."""
    return np.full(n_queries, radii, np.int32) if isinstance(radii, int) else radii


def _report(work: Work, start: float) -> Report:
    return Report(*work, (perf_counter() - start) * 1e9)
