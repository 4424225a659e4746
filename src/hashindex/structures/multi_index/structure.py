"""Multi-index hashing as a search structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engines import Engine
from ...engines.hits import WORTH_TRYING
from ...engines.query import NearestQuery, RadiusQuery
from ...engines.results import NearestRows, RadiusRows
from ...engines.tables import MAX_TABLE_CODES, NO_SHELLS, Layout, Shells, Tables, n_copied
from ...segments.segment import Segment
from ..costs import FEW, Costs
from ..structure import Kind, Prediction
from . import plan
from .layout import deal, shape
from .restoring import restored

LONE_LOOKUP = 20.0  # nanoseconds more of a lookup for which a few queries come to a table that is not near
FEWEST_CODES = 4096  # below, a scan takes about as long as the call itself


class Pricing:
    """What is priced and planned for a segment at some costs, before or after its tables are built."""

    def __init__(self, prices: plan.Prices) -> None:
        self.prices, self.shells = prices, plan.shells(prices)
        steps = self.shells.steps
        self.cumulated = [
            np.append(0.0, np.cumsum(part[steps[:, 0], steps[:, 1]]))
            for part in (prices.lookups, prices.candidates, prices.nanoseconds)
        ]
        self._thresholds: dict[int, NDArray[np.int32] | None] = {}

    def thresholds(self, radius: int) -> NDArray[np.int32] | None:
        """The cheapest complete ones."""
        if radius not in self._thresholds:
            self._thresholds[radius] = plan.thresholds(radius, self.prices)
        return self._thresholds[radius]


@dataclass
class Notes:
    """What is found out about a segment: the layout of its tables, and pricings by costs."""

    layout: Layout
    pricings: dict[Costs, Pricing] = field(default_factory=dict)


class MultiIndex:
    """Buckets by substrings of the code, each searched within its table's share of the radius."""

    name = "multi-index"
    stops_early = False

    def may_serve(self, segment: Segment) -> bool:
        """Where there are codes enough, and few enough for rows of 32 bits."""
        return FEWEST_CODES <= len(segment.codes) < MAX_TABLE_CODES

    def look_cost(self, segment: Segment, costs: Costs) -> float:
        """By the bits to be dealt to tables."""
        return costs.look * (4e5 + 1.8e3 * min(segment.n_bits, 450))

    def least(self, segment: Segment, limits: NDArray[np.int64], kind: Kind) -> NDArray[np.float64]:
        """As if codes were uniform, with all tables alike: others crowd into fewer buckets, which hold more of them."""
        n, costs = len(segment.codes), kind.costs
        n_tables, width = shape(segment.n_bits, segment.n_distinct)
        lookup, candidate = costs.probe(n, segment.n_bits, n_copied(segment.codes, n_tables) > 0)
        each = [comb(width, flips) * (lookup + candidate * n / 2.0**width) for flips in range(width + 1)]
        after = np.append(0.0, np.cumsum(np.repeat(np.sort(each), n_tables)))  # shells, the cheapest first
        shells = np.minimum(limits + 1, len(after) - 1)
        searching = np.minimum(after[shells], sum(each))  # one whole table answers too
        found: NDArray[np.float64] = searching + (costs.call + costs.shell * shells) / max(kind.n_queries, 1)
        return found

    def build_cost(self, segment: Segment, costs: Costs) -> float:
        """By the rows of all tables."""
        n_tables, _ = shape(segment.n_bits, segment.n_distinct)
        return costs.build * len(segment.codes) * n_tables

    def build(self, segment: Segment, engine: Engine, n_threads: int, parts: Sequence[Segment] = ()) -> Tables:  # noqa: ARG002
        """Sort the rows into buckets."""
        return engine.multi_index.build(segment.codes, self._notes(segment).layout, n_threads)

    def predict(self, segment: Segment, state: Tables | None, limits: NDArray[np.int64], kind: Kind) -> Prediction:  # noqa: ARG002
        """By the buckets that a sample of stored codes would visit."""
        pricing, n_queries = self._pricing(segment, kind.costs), max(kind.n_queries, 1)
        start, shell = kind.costs.call / n_queries, kind.costs.shell / n_queries
        if kind.k is None:
            each = [plan.probe_cost(pricing.thresholds(int(limit)), pricing.prices) for limit in limits]
            lookups, candidates, nanoseconds = np.array(each, np.float64).reshape(-1, 3).T
            alone = LONE_LOOKUP * lookups if kind.n_queries <= FEW else 0.0
            return Prediction(lookups, candidates, nanoseconds + alone + start + shell * (limits + 1))
        after = np.minimum(limits + 1, len(pricing.shells.steps))  # shells that make an answer at that distance certain
        lookups, candidates, nanoseconds = (part[after] for part in pricing.cumulated)
        nanoseconds = nanoseconds + start + shell * after
        # A query that would take longer than a scan spends a share of its time and leaves.
        left = nanoseconds > kind.scan_cost
        lookups, candidates = np.where(left, 0.0, lookups), np.where(left, len(segment.codes), candidates)
        return Prediction(lookups, candidates, np.where(left, (1 + WORTH_TRYING) * kind.scan_cost, nanoseconds))

    def radius(self, segment: Segment, state: Tables, query: RadiusQuery, kind: Kind, engine: Engine) -> RadiusRows:
        """By the engine, with the cheapest complete thresholds."""
        return engine.multi_index.radius(segment.rows, state, query, self._thresholds(segment, state, kind))

    def nearest(self, segment: Segment, state: Tables, query: NearestQuery, kind: Kind, engine: Engine) -> NearestRows:
        """By the engine, always the cheapest next shell."""
        return engine.multi_index.nearest(segment.rows, state, query, self._shells(segment, kind))

    def step(self, segment: Segment, state: Tables, kind: Kind, engine: Engine) -> Any | None:
        """The engine's, with thresholds or shells."""
        if kind.k is None:
            return engine.multi_index.step(state, self._thresholds(segment, state, kind), NO_SHELLS)
        nowhere = np.full(len(state.widths), -1, np.int32)
        return engine.multi_index.step(state, nowhere, self._shells(segment, kind))

    def order(self, segment: Segment, state: Tables) -> NDArray[np.uint32] | None:  # noqa: ARG002
        """By the buckets of the first table."""
        rows: NDArray[np.uint32] = state.rows[0]
        return rows

    def arrays(self, state: Tables) -> dict[str, NDArray[Any]]:
        """The fields of the tables."""
        return state._asdict()

    def restore(self, segment: Segment, arrays: dict[str, NDArray[Any]]) -> Tables:
        """The tables, if they are of as many codes of that width."""
        return restored(segment, arrays)

    def _notes(self, segment: Segment) -> Notes:
        notes: Notes | None = segment.learned.notes.get(self.name)
        if notes is None:
            tables: Tables | None = segment.learned.states.get(self.name)  # from a file, perhaps of other versions
            layout = Layout(tables.masks, tables.widths) if tables else None
            notes = Notes(layout or deal(segment.codes, segment.n_bits, segment.n_distinct))
            segment.learned.notes[self.name] = notes
        return notes

    def _pricing(self, segment: Segment, costs: Costs) -> Pricing:
        notes = self._notes(segment)
        pricing = notes.pricings.get(costs)
        if pricing is None:
            pricing = notes.pricings[costs] = Pricing(plan.expected_prices(segment, notes.layout, costs))
        return pricing

    def _thresholds(self, segment: Segment, tables: Tables, kind: Kind) -> NDArray[np.int32]:
        cheapest = self._pricing(segment, kind.costs).thresholds(kind.radius)
        return plan.whole_table(tables) if cheapest is None else cheapest

    def _shells(self, segment: Segment, kind: Kind) -> Shells:
        return self._pricing(segment, kind.costs).shells._replace(scan_cost=kind.scan_cost)
