"""A plan: which structure answers a kind of search in which part, used until it is time to think again."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.engine import WholePlan
from ..segments.segment import Learned, Segment
from ..structures import STRUCTURES
from ..structures.calibration import usual
from ..structures.structure import Kind
from ..support.threads import usable_cpus
from .choice import AUTO, EAGERNESS, FOREVER, Choice, chosen, forced, kind_key, stopping_early, with_costs

COPIED = 100.0  # nanoseconds of putting a code into one segment with all others
PAUSE = 0.1  # share of the price of that between two looks whether it was paid
MOST_KINDS = 256  # of search that a segment remembers


class PlannedPart(NamedTuple):
    """A segment, and how it is searched."""

    name: str
    segment: Segment
    choice: Choice
    kind: Kind
    looked: NDArray[np.int64] | None  # counts how far k-nearest queries had to look


class Plan:
    """What is planned for all parts; ``whole`` does all of it in one call where the engine can."""

    __slots__ = ("_apart", "_granted", "early", "has_tail", "left", "paid", "parts", "whole")

    def __init__(self, parts: list[PlannedPart], whole: WholePlan | None) -> None:
        self.parts, self.whole = parts, whole
        self.left = min((part.choice.left for part in parts), default=FOREVER)  # queries until it is thought over
        self.early: tuple[int, ...] | None = None  # what it depends on if it stops early
        self.has_tail = bool(parts) and parts[-1].name == "tail"  # else it is left to be scanned
        self._apart = None if self.has_tail else apart(parts)
        self.paid = False  # whether searches have lost as much by several segments as making one of them takes
        if self._apart is not None:
            largest, loss, price = self._apart
            self.paid = largest.apart >= price
            self.left = min(self.left, int(max(price - largest.apart, PAUSE * price) / loss) + 1)
        self._granted = self.left

    def retire(self) -> None:
        """Count its queries, and what they lost for want of structures, with its segments."""
        n_queries = self._granted - self.left
        self._granted = self.left
        if self._apart is not None:
            largest, loss, _ = self._apart
            largest.apart += loss * n_queries
        for part in self.parts:
            learned, key = part.segment.learned, kind_key(part.kind)
            if len(learned.answered) >= MOST_KINDS:
                learned.answered.clear()
            learned.answered[key] = learned.answered.get(key, 0) + n_queries
            for name, loss in part.choice.losses:
                learned.lost[name] = learned.lost.get(name, 0.0) + loss * n_queries


def apart(parts: list[PlannedPart]) -> tuple[Learned, float, float] | None:
    """What to count by, what a query loses because there are several segments, and what making one of them takes.

    None where nothing is lost: what is scanned takes as long in one piece.
    """
    largest = max(parts, key=lambda part: part.segment.n_rows, default=None)
    if largest is None or len(parts) == 1 or largest.choice.structure is STRUCTURES["scan"]:
        return None
    learned, size, costs = largest.segment.learned, len(largest.segment.codes), largest.kind.costs
    loss = sum(part.choice.predicted[2] for part in parts if part is not largest)
    if not isfinite(loss):  # forced where nothing can be told of it
        return None
    building = sum(STRUCTURES[name].build_cost(largest.segment, costs) for name in list(learned.states)) / size
    price = (COPIED + building) * sum(len(part.segment.codes) for part in parts)
    is_idle = usable_cpus() > largest.kind.n_threads
    return learned, max(loss, 1.0), EAGERNESS * price if is_idle else price


def make_plan(
    parts: list[tuple[str, Segment]],
    method: str,
    k: int | None,
    radius: int,
    n_queries: int,
    n_threads: int,
    engine: Engine,
    recall: float,
) -> Plan:
    """Choose for every part."""
    planned, steps = [], []
    for name, segment in parts:
        kind = with_costs(Kind(k, radius, n_queries, n_threads, usual(engine), 0.0, recall), segment, usual(engine))
        early, exact = stopping_early(method, segment, kind, engine), kind._replace(recall=1.0)
        if early is not None:
            choice = early
        elif method == AUTO:
            choice, kind = chosen(segment, exact, engine), exact
        else:
            kind = exact._replace(scan_cost=np.inf)
            choice = forced(method, segment, kind, engine)
        kind = choice.kind or kind
        looked = None
        if k is not None and choice.left < FOREVER:
            looked = _looked(segment, k)
        planned.append(PlannedPart(name, segment, choice, kind, looked))
        steps.append((segment.part(engine), choice.structure.step(segment, choice.state, kind, engine), looked))
    whole = None if any(step is None for _, step, _ in steps) else engine.plan(steps)
    return Plan(planned, whole)


def _looked(segment: Segment, k: int) -> NDArray[np.int64]:
    """The counts of how far searches for ``k`` had to look, of which a segment remembers some."""
    looked = segment.learned.looked
    if k not in looked and len(looked) >= MOST_KINDS:
        looked.clear()
    return looked.setdefault(k, np.zeros(8 * segment.codes.shape[1] + 1, np.int64))


def scanned(name: str, segment: Segment, n_queries: int, engine: Engine) -> PlannedPart:
    """A part that is scanned without a thought."""
    costs = usual(engine)
    kind = with_costs(Kind(None, 0, n_queries, 1, costs, 0.0), segment, costs)
    scan = STRUCTURES["scan"]
    return PlannedPart(
        name, segment, Choice(scan, (), (0.0, float(len(segment.codes)), kind.scan_cost), FOREVER), kind, None
    )
