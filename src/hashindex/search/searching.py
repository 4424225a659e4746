"""One search over one snapshot: plan and run it in every part, then merge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.engine import NearestRows, RadiusRows, Shells, TooManyHits, Work
from ..matches import NearestMatches, RadiusMatches
from ..segments.postings import expand_nearest, expand_radius
from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..structures.calibration import Costs, costs
from ..structures.multi_index import plan as planner
from .merging import merge_nearest, merge_radius

PILOT = 64  # queries that show how fast a method answers a search like this
CLOSE = 8.0  # methods whose predicted costs differ by less than this factor are tried before one is chosen
FORGET = 1.05  # a method that lost looks this much better each time, so that it is tried again some day

Cost = tuple[float, float, float]  # predicted lookups, candidates and nanoseconds of one query
UNKNOWN = float("nan")
R = TypeVar("R", RadiusRows, NearestRows)


@dataclass(frozen=True)
class Step:
    """What a search did in one part of the index; counts and times are those of all queries."""

    part: str
    n_codes: int
    n_distinct: int
    method: str
    predicted_lookups: float
    lookups: int
    predicted_candidates: float
    candidates: int
    predicted_seconds: float
    seconds: float
    bytes_per_code: float


@dataclass(frozen=True)
class Search:
    """How to search: everything but what for."""

    engine: Engine
    method: str  # "auto", "scan" or "multi-index"
    n_threads: int
    most_hits: int = 0  # a radius search for several queries that finds more raises TooManyHits; 0 = no bound

    def within(self, snapshot: Snapshot, queries: NDArray[np.uint8], radius: int) -> tuple[RadiusMatches, list[Step]]:
        """Every code within ``radius`` of each query, and how it was found."""
        found, steps = [], []
        for name, part in _parts(snapshot):
            start = perf_counter()
            method, predicted, results = self._radius_rows(part, queries, radius)
            offsets, distances, at, work = _joined(results)
            if part.postings is not None:
                if self.most_hits and len(queries) > 1 and part.postings.held_by(at) > self.most_hits:
                    raise TooManyHits
                offsets, distances, at = expand_radius(offsets, distances, at, part.postings)
            found.append(RadiusMatches(offsets, distances, part.ids_of(at)))
            steps.append(_step(name, part, method, len(queries), predicted, work, perf_counter() - start))
        return merge_radius(found, len(queries)), steps

    def nearest(
        self, snapshot: Snapshot, queries: NDArray[np.uint8], k: int, radius: int
    ) -> tuple[NearestMatches, list[Step]]:
        """The ``k`` nearest codes within ``radius`` of each query, and how they were found."""
        found, steps = [], []
        for name, part in _parts(snapshot):
            start = perf_counter()
            few = min(k, len(part.codes))
            method, predicted, results = self._nearest_rows(part, queries, few, radius)
            distances, at, _, work = _stacked(results)
            if part.postings is not None:
                distances, at = expand_nearest(distances, at, min(k, part.n_rows), part.postings)
            ids = np.where(at < 0, -1, part.ids_of(at))
            found.append(NearestMatches(distances, ids))
            steps.append(_step(name, part, method, len(queries), predicted, work, perf_counter() - start))
        return merge_nearest(found, len(queries), k), steps

    @property
    def _costs(self) -> Costs:
        """Measured where they decide something."""
        return costs(self.engine) if self.method == "auto" else Costs()

    def prepare(self, part: Segment, n_queries: int, radius: int) -> bool:
        """Whether the part has tables; builds them if ``n_queries`` searches within ``radius`` would pay for them."""
        if self.method == "scan":
            return False
        if part.cache.tables is None and self.method == "auto" and not self._tables_pay(part, n_queries, radius):
            return False
        part.tables(self.engine, self.n_threads)
        return True

    def _tables_pay(self, part: Segment, n_queries: int, radius: int) -> bool:
        if not planner.may_have_tables(part):
            return False
        prices = planner.uniform_prices(part, self._costs)
        cost = planner.probe_cost(planner.thresholds(radius, prices), prices)[2]
        lost = (self._scan_cost(part, n_queries)[2] - cost) * n_queries
        return lost > 0 and planner.tables_pay(part, self._costs, lost, self.n_threads)

    def _radius_rows(
        self, part: Segment, queries: NDArray[np.uint8], radius: int
    ) -> tuple[str, Cost, list[RadiusRows]]:
        """The method, what it was predicted to cost, and the rows within ``radius``, query after query."""
        n, engine, threads = len(queries), self.engine, self.n_threads
        scanned = self._scan_cost(part, n)

        def scan(block: slice) -> RadiusRows:
            return engine.scan_radius(part.rows, queries[block], radius, threads, self.most_hits)

        if not self.prepare(part, n, radius):
            return "scan", scanned, [scan(slice(n))]
        tables = part.tables(engine, threads)
        prices = planner.prices(part, tables, self._costs)
        cheapest = part.cache.plan((radius, self._costs), lambda: planner.thresholds(radius, prices))
        if cheapest is None and self.method == "auto":
            return "scan", scanned, [scan(slice(n))]
        allowed = planner.whole_table(tables) if cheapest is None else cheapest
        probed = planner.probe_cost(allowed, prices)

        def probe(block: slice) -> RadiusRows:
            return engine.probe_radius(part.rows, tables, queries[block], radius, allowed, threads, self.most_hits)

        if self.method == "multi-index":
            return "multi-index", probed, [probe(slice(n))]
        return self._fastest(part, ("radius", radius), n, (scanned, scan), (probed, probe))

    def _nearest_rows(
        self, part: Segment, queries: NDArray[np.uint8], k: int, radius: int
    ) -> tuple[str, Cost, list[NearestRows]]:
        """The method, what it was predicted to cost, and the k nearest rows, query after query."""
        n = len(queries)
        scanned = self._scan_cost(part, n)

        def scan(block: slice) -> NearestRows:
            return self._scan_nearest(part, queries[block], k, np.full(len(queries[block]), radius, np.int32))

        def probe(block: slice) -> NearestRows:
            return self._probe_nearest(part, queries[block], k, radius, scanned[2] if self.method == "auto" else inf)

        # Hope that the k-th neighbour lies within an eighth of the bits; if it does not, a trial will tell.
        if not self.prepare(part, n, min(radius, part.n_bits // 8)):
            return "scan", scanned, [scan(slice(n))]
        self._shells(part)  # made here, so that no query's time includes it
        if self.method == "multi-index":
            return "multi-index", (UNKNOWN, UNKNOWN, UNKNOWN), [probe(slice(n))]
        hoped = (UNKNOWN, UNKNOWN, scanned[2] / 2)
        return self._fastest(part, ("nearest", k.bit_length(), radius), n, (scanned, scan), (hoped, probe))

    def _scan_cost(self, part: Segment, n_queries: int) -> Cost:
        constants = self._costs if planner.may_have_tables(part) else Costs()
        return 0.0, float(len(part.codes)), constants.scan(len(part.codes), part.n_bits, n_queries)

    def _fastest(
        self,
        part: Segment,
        kind: tuple[object, ...],
        n_queries: int,
        scan: tuple[Cost, Callable[[slice], R]],
        probe: tuple[Cost, Callable[[slice], R]],
    ) -> tuple[str, Cost, list[R]]:
        """Answer by the method that is fastest as measured on searches of this kind, or else as predicted.

        Of a large batch, some queries try a method that is close and was not measured yet.
        """
        measured = part.cache.measured
        methods: dict[str, tuple[Cost, Callable[[slice], R]]] = {"scan": scan, "multi-index": probe}
        keys = {name: (name, *kind, min(n_queries, PILOT).bit_length()) for name in methods}
        results: list[R] = []
        done = 0

        def cost(name: str) -> float:
            return measured.get(keys[name], methods[name][0][2])

        def run(name: str, block: slice) -> None:
            start = perf_counter()
            results.append(methods[name][1](block))
            seen = (perf_counter() - start) * 1e9 / max(block.stop - block.start, 1)
            measured[keys[name]] = 0.5 * (measured.get(keys[name], seen) + seen)

        both = [cost(name) for name in methods]
        if n_queries >= 4 * PILOT and max(both) < CLOSE * min(both):
            for name in methods:
                if keys[name] not in measured:
                    run(name, slice(done, done + PILOT))
                    done += PILOT
        best = min(methods, key=cost)
        for name in methods:
            if name != best and keys[name] in measured:
                measured[keys[name]] /= FORGET
        run(best, slice(done, n_queries))
        return best if len(results) == 1 else f"{best} after trials", methods[best][0], results

    def _shells(self, part: Segment) -> Shells:
        tables = part.tables(self.engine, self.n_threads)
        prices = planner.prices(part, tables, self._costs)
        return part.cache.plan(("shells", self._costs), lambda: planner.shells(tables, prices))

    def _probe_nearest(
        self, part: Segment, queries: NDArray[np.uint8], k: int, radius: int, scan_cost: float
    ) -> NearestRows:
        """By tables; queries for which that would take longer than ``scan_cost`` are finished by a scan."""
        tables, shells = part.tables(self.engine, self.n_threads), self._shells(part)._replace(scan_cost=scan_cost)
        radii = np.full(len(queries), radius, np.int32)
        found = self.engine.probe_nearest(part.rows, tables, queries, k, radii, shells, self.n_threads)
        left = np.flatnonzero(~found.done)
        if len(left) == 0:
            return found
        rest = self._scan_nearest(
            part, queries[left], k, np.minimum(found.distances[left, -1], radius).astype(np.int32)
        )
        found.distances[left], found.rows[left] = rest.distances, rest.rows
        return found._replace(work=_sum([found.work, rest.work]))

    def _scan_nearest(self, part: Segment, queries: NDArray[np.uint8], k: int, radii: NDArray[np.int32]) -> NearestRows:
        return self.engine.scan_nearest(part.rows, queries, k, radii, self.n_threads)


def _parts(snapshot: Snapshot) -> list[tuple[str, Segment]]:
    return [("tail" if p is snapshot.tail else f"segment {i}", p) for i, p in enumerate(snapshot.parts)]


def _joined(results: list[RadiusRows]) -> RadiusRows:
    if len(results) == 1:
        return results[0]
    ends = np.cumsum([0] + [len(result.rows) for result in results])
    offsets = [result.offsets[:-1] + end for result, end in zip(results, ends, strict=False)]
    return RadiusRows(
        np.concatenate([*offsets, ends[-1:]]),
        np.concatenate([result.distances for result in results]),
        np.concatenate([result.rows for result in results]),
        _sum([result.work for result in results]),
    )


def _stacked(results: list[NearestRows]) -> NearestRows:
    if len(results) == 1:
        return results[0]
    return NearestRows(
        np.concatenate([result.distances for result in results]),
        np.concatenate([result.rows for result in results]),
        np.concatenate([result.done for result in results]),
        _sum([result.work for result in results]),
    )


def _sum(works: list[Work]) -> Work:
    return Work(sum(work.lookups for work in works), sum(work.candidates for work in works))


def _step(
    name: str,
    part: Segment,
    method: str,
    n_queries: int,
    predicted: Cost,
    work: Work,
    seconds: float,
) -> Step:
    lookups, candidates, nanoseconds = (n_queries * value for value in predicted)
    return Step(
        name,
        part.n_codes,
        part.n_distinct,
        method,
        lookups,
        work.lookups,
        candidates,
        work.candidates,
        nanoseconds * 1e-9,
        seconds,
        part.nbytes / max(part.n_rows, 1),
    )
