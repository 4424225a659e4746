"""Multi-index hashing as a search structure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engines import Engine
from ...engines.query import NearestQuery, RadiusQuery
from ...engines.results import NearestRows, RadiusRows
from ...engines.tables import MAX_TABLE_CODES, NO_SHELLS, Layout, Shells, Tables
from ...segments.segment import Segment
from ..costs import Costs
from ..structure import Kind, Prediction
from . import plan
from .layout import deal, shape

FEWEST_CODES = 4096  # below, a scan takes about as long as the call itself
GIVE_UP = 0.2  # share of a scan's cost that a k-NN query spends before it leaves for one: engines.hits.WORTH_TRYING


@dataclass
class State:
    """Tables, and what has been priced and planned of them, by costs."""

    tables: Tables
    prices: dict[Costs, plan.Prices] = field(default_factory=dict)
    shells: dict[Costs, Shells] = field(default_factory=dict)


class MultiIndex:
    """Buckets by substrings of the code, each searched within its table's share of the radius."""

    name = "multi-index"

    def may_serve(self, segment: Segment) -> bool:
        """Where there are codes enough, and few enough for rows of 32 bits."""
        return FEWEST_CODES <= len(segment.codes) < MAX_TABLE_CODES

    def build_cost(self, segment: Segment, costs: Costs) -> float:
        """By the rows of all tables."""
        n_tables, _ = shape(segment.n_bits, segment.n_distinct)
        return costs.build * len(segment.codes) * n_tables

    def build(self, segment: Segment, engine: Engine, n_threads: int) -> State:
        """Deal the bits to tables by a sample of the codes, and sort the rows into buckets."""
        return State(engine.multi_index.build(segment.codes, self._layout(segment), n_threads))

    def predict(self, segment: Segment, state: State | None, limits: NDArray[np.int64], kind: Kind) -> Prediction:
        """By the buckets that a sample of stored codes would visit; without tables by the keys of such a sample."""
        if state is None:
            prices = plan.expected_prices(segment, self._layout(segment), kind.costs)
        else:
            prices = _prices(segment, state, kind.costs)
        start = kind.costs.call / max(kind.n_queries, 1)
        shell = kind.costs.shell / max(kind.n_queries, 1)
        if kind.k is None:
            each = [plan.probe_cost(plan.thresholds(int(limit), prices), prices) for limit in limits]
            lookups, candidates, nanoseconds = np.array(each, np.float64).reshape(-1, 3).T
            return Prediction(lookups, candidates, nanoseconds + start + shell * (limits + 1))
        steps = plan.shells(prices).steps
        cumulated = [
            np.append(0.0, np.cumsum(part[steps[:, 0], steps[:, 1]]))
            for part in (prices.lookups, prices.candidates, prices.nanoseconds)
        ]
        after = np.minimum(limits + 1, len(steps))  # shells that make an answer at that distance certain
        lookups, candidates, nanoseconds = (part[after] for part in cumulated)
        nanoseconds = nanoseconds + start + shell * after
        # A query that would take longer than a scan spends a share of its time and leaves.
        left = nanoseconds > kind.scan_cost
        lookups, candidates = np.where(left, 0.0, lookups), np.where(left, len(segment.codes), candidates)
        return Prediction(lookups, candidates, np.where(left, (1 + GIVE_UP) * kind.scan_cost, nanoseconds))

    def radius(self, segment: Segment, state: State, query: RadiusQuery, kind: Kind, engine: Engine) -> RadiusRows:
        """By the engine, with the cheapest complete thresholds."""
        allowed = self._thresholds(segment, state, kind)
        return engine.multi_index.radius(segment.rows, state.tables, query, allowed)

    def nearest(self, segment: Segment, state: State, query: NearestQuery, kind: Kind, engine: Engine) -> NearestRows:
        """By the engine, always the cheapest next shell."""
        shells = self._shells(segment, state, kind)
        return engine.multi_index.nearest(segment.rows, state.tables, query, shells)

    def step(self, segment: Segment, state: State, kind: Kind, engine: Engine) -> Any | None:
        """The engine's, with thresholds or shells."""
        if kind.k is None:
            return engine.multi_index.step(state.tables, self._thresholds(segment, state, kind), NO_SHELLS)
        nowhere = np.full(len(state.tables.widths), -1, np.int32)
        return engine.multi_index.step(state.tables, nowhere, self._shells(segment, state, kind))

    def order(self, segment: Segment, state: State) -> NDArray[np.uint32] | None:  # noqa: ARG002
        """By the buckets of the first table."""
        rows: NDArray[np.uint32] = state.tables.rows[0]
        return rows

    def arrays(self, state: State) -> dict[str, NDArray[Any]]:
        """The fields of the tables."""
        return state.tables._asdict()

    def restore(self, segment: Segment, arrays: dict[str, NDArray[Any]]) -> State:
        """The tables, if they are of as many codes of that width."""
        tables = Tables(**arrays)
        if tables.rows.shape != (len(tables.widths), len(segment.codes)):
            raise ValueError(f"tables of {tables.rows.shape} rows do not fit {len(segment.codes)} codes")
        if tables.masks.shape[1] != segment.codes.shape[1]:
            raise ValueError(f"tables of {tables.masks.shape[1]} bytes do not fit {segment.codes.shape[1]}-byte codes")
        return State(tables)

    def _layout(self, segment: Segment) -> Layout:
        notes = segment.learned.notes
        if self.name not in notes:
            notes[self.name] = deal(segment.codes, segment.n_bits, segment.n_distinct)
        layout: Layout = notes[self.name]
        return layout

    def _thresholds(self, segment: Segment, state: State, kind: Kind) -> NDArray[np.int32]:
        cheapest = plan.thresholds(kind.radius, _prices(segment, state, kind.costs))
        return plan.whole_table(state.tables) if cheapest is None else cheapest

    def _shells(self, segment: Segment, state: State, kind: Kind) -> Shells:
        if kind.costs not in state.shells:
            state.shells[kind.costs] = plan.shells(_prices(segment, state, kind.costs))
        return state.shells[kind.costs]._replace(scan_cost=kind.scan_cost)


def _prices(segment: Segment, state: State, costs: Costs) -> plan.Prices:
    if costs not in state.prices:
        state.prices[costs] = plan.sampled_prices(segment, state.tables, costs)
    return state.prices[costs]
