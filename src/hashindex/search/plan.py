"""A plan: which structure answers a kind of search in which part, used until it is time to think again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.engine import WholePlan
from ..segments.segment import Segment
from ..structures import STRUCTURES
from ..structures.calibration import usual
from ..structures.structure import Kind
from .choice import AUTO, FOREVER, Choice, chosen, forced, kind_key, stopping_early, with_costs

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

    __slots__ = ("_granted", "has_tail", "left", "parts", "whole")

    def __init__(self, parts: list[PlannedPart], whole: WholePlan | None) -> None:
        self.parts, self.whole = parts, whole
        self.left = min((part.choice.left for part in parts), default=FOREVER)  # queries until it is thought over
        self._granted = self.left
        self.has_tail = bool(parts) and parts[-1].name == "tail"  # else it is left to be scanned

    def retire(self) -> None:
        """Count its queries, and what they lost for want of structures, with its segments."""
        n_queries = self._granted - self.left
        self._granted = self.left
        for part in self.parts:
            learned, key = part.segment.learned, kind_key(part.kind)
            if len(learned.answered) >= MOST_KINDS:
                learned.answered.clear()
            learned.answered[key] = learned.answered.get(key, 0) + n_queries
            for name, loss in part.choice.losses:
                learned.lost[name] = learned.lost.get(name, 0.0) + loss * n_queries


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


def scanned(name: str, segment: Segment, engine: Engine) -> PlannedPart:
    """A part that is scanned without a thought."""
    costs = usual(engine)
    kind = with_costs(Kind(None, 0, 1, 1, costs, 0.0), segment, costs)
    scan = STRUCTURES["scan"]
    return PlannedPart(
        name, segment, Choice(scan, (), (0.0, float(len(segment.codes)), kind.scan_cost), FOREVER), kind, None
    )
