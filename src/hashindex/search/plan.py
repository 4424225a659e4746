"""A plan: which structure answers a kind of search in which part, used until it is time to think again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.engine import WholePlan
from ..segments.segment import Segment
from ..structures import STRUCTURES
from ..structures.calibration import usual
from ..structures.structure import Kind
from .choice import AUTO, FOREVER, Choice, chosen, forced, with_costs


class PlannedPart(NamedTuple):
    """A segment, and how it is searched."""

    name: str
    segment: Segment
    choice: Choice
    kind: Kind
    looked: NDArray[np.int64] | None  # counts how far k-nearest queries had to look


class Plan:
    """What is planned for all parts; ``whole`` does all of it in one call where the engine can."""

    __slots__ = ("_answered", "_granted", "left", "parts", "whole")

    def __init__(self, parts: list[PlannedPart], whole: WholePlan | None, answered: int) -> None:
        self.parts, self.whole, self._answered = parts, whole, answered
        self.left = min((part.choice.left for part in parts), default=FOREVER)  # queries until it is thought over
        self._granted = self.left

    @property
    def has_tail(self) -> bool:
        """Whether the tail is one of its parts, searched like a segment; else it is left to be scanned."""
        return bool(self.parts) and self.parts[-1].name == "tail"

    def retire(self) -> int:
        """Count what its queries lost for want of structures; returns how many of its kind have been answered."""
        n_queries = self._granted - self.left
        for part in self.parts:
            lost = part.segment.learned.lost
            for name, loss in part.choice.losses:
                lost[name] = lost.get(name, 0.0) + loss * n_queries
        return self._answered + n_queries


def make_plan(
    parts: list[tuple[str, Segment]],
    method: str,
    k: int | None,
    radius: int,
    n_queries: int,
    n_threads: int,
    engine: Engine,
    answered: int,
) -> Plan:
    """Choose for every part."""
    planned, steps = [], []
    for name, segment in parts:
        kind = with_costs(Kind(k, radius, n_queries, n_threads, usual(engine), 0.0), segment, usual(engine))
        if method == AUTO:
            choice = chosen(segment, kind, engine, answered)
        else:
            kind = kind._replace(scan_cost=np.inf)
            choice = forced(method, segment, kind, engine)
        kind = choice.kind or kind
        looked = None
        if k is not None and choice.left < FOREVER:
            looked = segment.learned.looked.setdefault(k, np.zeros(8 * segment.codes.shape[1] + 1, np.int64))
        planned.append(PlannedPart(name, segment, choice, kind, looked))
        steps.append((segment.part(engine), choice.structure.step(segment, choice.state, kind, engine), looked))
    whole = None if any(step is None for _, step, _ in steps) else engine.plan(steps)
    return Plan(planned, whole, answered)


def key_of(method: str, k: int | None, radius: int, n_queries: int, n_threads: int) -> Any:
    """Under which a plan is kept: lone queries, and batches by their size."""
    return method, k, radius, 1 if n_queries <= 4 else min(n_queries, 64).bit_length(), n_threads


def scanned(name: str, segment: Segment, engine: Engine) -> PlannedPart:
    """A part that is scanned without a thought."""
    costs = usual(engine)
    kind = with_costs(Kind(None, 0, 1, 1, costs, 0.0), segment, costs)
    scan = STRUCTURES["scan"]
    return PlannedPart(
        name, segment, Choice(scan, (), (0.0, float(len(segment.codes)), kind.scan_cost), FOREVER), kind, None
    )
