"""One search over one snapshot, by a plan: in one call of the engine, or along the readable path."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.query import NearestQuery, RadiusQuery
from ..engines.results import TooManyHits
from ..matches import ApproximateMatches, NearestMatches, RadiusMatches
from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..structures.calibration import calibrate, costs
from ..structures.structure import Kind
from ..support.progress import Progress, reporting
from . import readable
from .choice import prepared, size_class, stopping_early, with_costs
from .plan import Plan, PlannedPart, make_plan, scanned
from .readable import Report, as_radii

MOST_PLANS = 1024  # kept
MANY_SCANNED = 2**27  # codes of a tail, in all searches of it, from which on it is worth a plan of its own
SCANS_TAIL = ("auto", "scan")  # the methods that leave the tail to be scanned
Radii = int | NDArray[np.int32]


@dataclass(frozen=True)
class Search:
    """How to search: everything but what for."""

    engine: Engine
    method: str  # "auto", or a structure's name
    n_threads: int
    most_hits: int = 0  # a radius search for several queries that finds more raises TooManyHits; 0 = no bound
    recall: float | None = None  # of the k nearest; None: exact

    def within(
        self, snapshot: Snapshot, queries: NDArray[np.uint8], radii: Radii, reports: list[Report] | None = None
    ) -> tuple[RadiusMatches, Plan]:
        """Every code within the radius of each query (n, code_size), or of one (code_size,)."""
        n_queries = len(queries) if queries.ndim == 2 else 1
        farthest = radii if isinstance(radii, int) else int(radii.max(initial=0))
        if snapshot.n_tail and reports is None:  # else whoever wants them has settled it
            snapshot = self.settled(snapshot, n_queries)
        plan = self._plan(snapshot, None, farthest, n_queries)
        if plan.whole is None:
            query = RadiusQuery(np.atleast_2d(queries), as_radii(radii, n_queries), self.n_threads, self.most_hits)
            parts, told = self.parts(snapshot, plan), [] if reports is None else reports
            return readable.within(parts, query, self.engine, told), plan
        n_tail = 0 if plan.has_tail else snapshot.n_tail
        tail = snapshot.tail.part(self.engine) if n_tail else None
        lost, report = _lost(snapshot, plan), reports is not None
        found = plan.whole.radius(queries, radii, tail, n_tail, lost, self.most_hits, self.n_threads, report)
        if found is None:
            raise TooManyHits
        if reports is not None:
            *found, told = found
            reports += [Report(*one[:3]) for one in told]
        return tuple.__new__(RadiusMatches, found), plan  # as _make does, in two thirds of its time

    def nearest(
        self, snapshot: Snapshot, queries: NDArray[np.uint8], k: int, radii: Radii, reports: list[Report] | None = None
    ) -> tuple[NearestMatches, Plan]:
        """The ``k`` nearest codes within the radius of each query (n, code_size), or of one (code_size,)."""
        n_queries = len(queries) if queries.ndim == 2 else 1
        farthest = radii if isinstance(radii, int) else int(radii.max(initial=0))
        if snapshot.n_tail and reports is None:  # else whoever wants them has settled it
            snapshot = self.settled(snapshot, n_queries)
        plan = self._plan(snapshot, k, farthest, n_queries)
        if plan.whole is None:
            query = NearestQuery(np.atleast_2d(queries), k, as_radii(radii, n_queries), self.n_threads)
            parts, told = self.parts(snapshot, plan), [] if reports is None else reports
            near, vouched = readable.nearest(parts, query, self.engine, told)
            near = NearestMatches(near.distances[0], near.ids[0]) if queries.ndim == 1 else near
            return (near if self.recall is None else ApproximateMatches(*near, vouched)), plan
        n_tail = 0 if plan.has_tail else snapshot.n_tail
        tail = snapshot.tail.part(self.engine) if n_tail else None
        lost, report = _lost(snapshot, plan), reports is not None
        proven = None if self.recall is None else np.ones(n_queries, np.bool_)
        found = plan.whole.nearest(queries, k, radii, tail, n_tail, lost, self.n_threads, report, proven)
        if reports is not None:
            *found, told = found
            reports += [Report(*one[:3]) for one in told]
        if proven is not None:
            return ApproximateMatches(found[0], found[1], proven), plan
        return tuple.__new__(NearestMatches, found), plan

    def enough(self, recall: float) -> Search:
        """The same for who is content with that share of the k nearest, and told where it is all of them."""
        return replace(self, recall=recall)

    def prepare(self, snapshot: Snapshot, k: int | None, radius: int, progress: Progress = False) -> None:
        """Build what pays for many such searches, in every segment; measure what decides that, once per machine."""
        n_done = 0
        with reporting(progress, snapshot.n_codes, "prepare") as tell:
            if snapshot.segments:
                calibrate(self.engine)
            for segment in snapshot.segments:
                tell(n_done)
                self.prepare_segment(segment, k, radius, many=True)
                segment.learned.thought = True
                n_done += segment.n_codes
        snapshot.plans.clear()

    def prepare_segment(self, segment: Segment, k: int | None, radius: int, *, many: bool = False) -> None:
        """Build what pays for as many searches as the segment has codes, or for many."""
        kind = Kind(k, radius, len(segment.codes), self.n_threads, costs(self.engine), 0.0, self.recall or 1.0)
        if stopping_early(self.method, segment, kind, self.engine):
            return
        exact = with_costs(kind._replace(recall=1.0), segment, kind.costs)
        prepared(segment, exact, self.engine, self.method, many=many)

    def _plan(self, snapshot: Snapshot, k: int | None, radius: int, n_queries: int) -> Plan:
        """What is planned for such a search, whose queries count as answered from now on."""
        early = None if self.recall is None else self._early(snapshot)
        key = (self.method, k, radius, 1 if n_queries <= 4 else size_class(n_queries), self.n_threads, self.recall)
        plan: Plan | None = snapshot.plans.get(key)
        scans_tail = not snapshot.n_tail or self.method in SCANS_TAIL
        if plan is None or plan.left <= 0 or plan.early != early or not scans_tail:
            own = (self.method, k, radius, n_queries, self.n_threads, self.engine, self.recall or 1.0)
            if not scans_tail:
                return make_plan(_named(snapshot.parts, True), *own)  # not kept: the tail changes
            if plan is not None:
                plan.retire()
            if len(snapshot.plans) > MOST_PLANS:
                snapshot.plans.clear()
            plan = snapshot.plans[key] = make_plan(_named(snapshot.segments, False), *own)
            plan.early = early
        plan.left -= n_queries
        return plan

    def _early(self, snapshot: Snapshot) -> tuple[int, ...]:
        """What plans that stop early depend on, where they are shared with other snapshots: how many codes are left."""
        return tuple(one.n_codes for one in snapshot.segments)

    def settled(self, snapshot: Snapshot, n_queries: int) -> Snapshot:
        """The snapshot that so many queries search: one without a tail where that has been scanned too often.

        Not where searches stop early: how often it was scanned must not decide what they find.
        """
        if not snapshot.n_tail or self.recall is not None:
            return snapshot
        snapshot.n_scanned += n_queries * snapshot.n_tail
        return snapshot.settled() if snapshot.n_scanned > MANY_SCANNED else snapshot

    def parts(self, snapshot: Snapshot, plan: Plan, n_queries: int = 1) -> list[PlannedPart]:
        """The parts of the plan, as they are in this snapshot, and the tail that it leaves to be scanned."""
        n_segments = len(snapshot.segments)
        parts = [
            part._replace(segment=segment)
            for part, segment in zip(plan.parts[:n_segments], snapshot.segments, strict=True)
        ]
        tail = snapshot.tail_segment
        if tail is None or plan.has_tail:
            return parts + plan.parts[n_segments:]
        return [*parts, scanned("tail", tail, n_queries, self.engine)]


def _lost(snapshot: Snapshot, plan: Plan) -> list[Any] | None:
    """What was removed from each part of the plan."""
    return snapshot.lost if snapshot.lost is None or not plan.has_tail else [*snapshot.lost, None]


def _named(segments: tuple[Segment, ...], with_tail: bool) -> list[tuple[str, Segment]]:
    names = [f"segment {i}" for i in range(len(segments))]
    if with_tail:
        names[-1] = "tail"
    return list(zip(names, segments, strict=True))
