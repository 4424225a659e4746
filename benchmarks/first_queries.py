"""How long the first queries of a fresh index take: ``auto`` beside the methods forced, each on an index of its own.

python benchmarks/first_queries.py [--sets uniform collapsed] [--bits 64 256] [--sizes 1000 10000]

prints every cell that auto loses: over 1.5 times the better method's time, and over 0.2 ms more in all.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import blake2b
from itertools import product
from math import inf
from time import perf_counter
from typing import Any, NamedTuple

from checks import exact
from peers import HashIndex, Kind
from sets import Codes, Data, clustered, collapsed, patches, power, uniform
from threads import one_thread

from hashindex.index import Method
from hashindex.structures import folds
from hashindex.structures.clusters import structure as clusters

SETS: dict[str, Callable[[int, int], Data]] = {
    "uniform": uniform,
    "skewed": patches if os.environ.get("HASHINDEX_DATA") else clustered,
    "collapsed": collapsed,
}
BITS = (64, 256, 1024)
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MARKS = (10, 100, 1000)  # queries after which the clock is read
LONE, BATCH = "one at a time", "in one batch"
METHODS: tuple[Method, ...] = ("scan", "multi-index", "clusters", "folds", "auto")
FEWEST = {"multi-index": 0, "clusters": clusters.FEWEST_CODES, "folds": folds.FEWEST_CODES}
FACTOR, NEGLIGIBLE_MS = 1.5, 0.2
LONGEST_S = 3.0  # marks that lone scans reach later are left out
MOST_HITS = 10_000_000  # so are batches that would find more
SLOWER = 2.0  # times the scan's, at its last mark: a lone multi-index that takes longer is given up
ROUNDS = 3  # of which the least counts
ENOUGH_S = 1.5  # no further round after this long
DOUBTED_ROUNDS, DOUBTED_S = 5, 25.0  # of a lost cell, which may be noise: pages new to a virtual machine take long

Times = dict[tuple[str, int], dict[Method, float]]  # milliseconds of each method, by way of asking and mark


class Cell(NamedTuple):
    """What the first ``n_queries`` took in all, in milliseconds; a forced method is missing where it is far slower."""

    case: str
    way: str
    n_queries: int
    ms: dict[Method, float]

    @property
    def best(self) -> Method:
        return min((method for method in self.ms if method != "auto"), key=lambda method: self.ms[method])

    @property
    def to_best(self) -> float:
        return self.ms["auto"] / self.ms[self.best]

    @property
    def negligible(self) -> bool:
        return self.ms["auto"] - self.ms[self.best] < NEGLIGIBLE_MS

    @property
    def lost(self) -> bool:
        return self.to_best > FACTOR and not self.negligible

    def described(self) -> dict[str, Any]:
        ms = {method: round(taken, 4) for method, taken in self.ms.items()}
        judged = {"best": self.best, "to_best": round(self.to_best, 3), "negligible": self.negligible}
        return self._asdict() | {"ms": ms} | judged


def cells(name: str, n_bits: int, n_codes: int) -> Iterator[Cell]:
    """All cells of a set: a radius of a thirty-second of the bits and the ten nearest, lone and in one batch."""
    load()
    data = SETS[name](n_bits, n_codes)
    works: tuple[tuple[Kind, int], ...] = (("radius", n_bits // 32), ("k", 10))
    for kind, size in works:
        case = f"{data.name}, {n_bits} bits, {power(n_codes)} codes, {kind} {size}"
        few = data.first(MARKS[0])
        for peer in (fresh(data, "scan"), fresh(data, "auto")):  # the batches timed are compared with the scan's
            assert exact(few, peer.one_by_one(few.queries, kind, size), size), f"{peer.name} is not exact"
        for (way, mark), ms in least(data, kind, size).items():
            yield Cell(case, way, mark, ms)


@cache
def load() -> None:
    """What a process does once is no index's fault."""
    data = uniform(256, 20_000)
    for method in METHODS:
        fresh(data, method).nearest(data.queries, 10)


def fresh(data: Data, method: Method) -> HashIndex:
    """An index that has not seen a query."""
    peer = HashIndex(method=method)
    peer.fill(data.codes)
    return peer


def least(data: Data, kind: Kind, size: int) -> Times:
    """The least of some rounds, which all begin with fresh indexes."""
    start = perf_counter()
    times = one_round(data, kind, size)
    for done in range(1, DOUBTED_ROUNDS):
        lost = any(Cell("", way, mark, ms).lost for (way, mark), ms in times.items())
        if done >= (DOUBTED_ROUNDS if lost else ROUNDS) or perf_counter() - start > (DOUBTED_S if lost else ENOUGH_S):
            break
        for key, again in one_round(data, kind, size).items():
            known = times.setdefault(key, again)
            known.update({method: min(taken, known.get(method, taken)) for method, taken in again.items()})
    return times


def one_round(data: Data, kind: Kind, size: int) -> Times:
    times: Times = {}
    for mark, ms in lone_times(data, kind, size).items():
        times[LONE, mark] = ms
    for mark in [mark for _, mark in times]:
        ms, n_found = batch_times(data.first(mark), kind, size, list(times[LONE, mark]))
        times[BATCH, mark] = ms
        if n_found * 10 > MOST_HITS:
            break
    return times


def lone_times(data: Data, kind: Kind, size: int) -> dict[int, dict[Method, float]]:
    """Milliseconds of each method until each mark, one query at a time."""
    scan = until_marks(fresh(data, "scan").call(kind, size), data.queries, LONGEST_S * 1e3)
    last = max(scan)
    taken: dict[Method, dict[int, float]] = {"scan": scan}
    for method in METHODS[1:-1]:
        if len(data.codes) < FEWEST[method] or (method == "folds" and data.n_bits <= 64 * (folds.FEWEST_WORDS - 1)):
            continue  # the planner would build none either
        taken[method] = until_marks(fresh(data, method).call(kind, size), data.queries[:last], SLOWER * scan[last])
    taken["auto"] = until_marks(fresh(data, "auto").call(kind, size), data.queries[:last])
    return {mark: {method: ms[mark] for method, ms in taken.items() if mark in ms} for mark in scan}


def until_marks(search: Callable[[Codes], object], queries: Codes, patience_ms: float = inf) -> dict[int, float]:
    """Milliseconds until each mark, for as long as there is patience."""
    rows = [queries[i : i + 1] for i in range(len(queries))]
    taken: dict[int, float] = {}
    start = perf_counter()
    for done, row in enumerate(rows, 1):
        search(row)
        ms = (perf_counter() - start) * 1e3
        if done in MARKS:
            taken[done] = ms
        if ms > patience_ms:
            break
    return taken


def batch_times(data: Data, kind: Kind, size: int, methods: list[Method]) -> tuple[dict[Method, float], int]:
    """Milliseconds of each method for all queries at once, and how many codes they found; the answers must agree."""
    times: dict[Method, float] = {}
    answers = set()
    n_found = 0
    for method in methods:
        search = fresh(data, method).call(kind, size)
        start = perf_counter()
        found = search(data.queries)
        times[method] = (perf_counter() - start) * 1e3
        n_found = found.ids.size
        answers.add(tuple(blake2b(part).digest() for part in found))
        del found  # so that each finds its memory as the first did
    assert len(answers) == 1, f"of {', '.join(methods)} one is not exact"
    return times, n_found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--bits", nargs="+", type=int, default=BITS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    asked = parser.parse_args()
    judged = lost = 0
    for wanted in product(asked.sets, asked.bits, asked.sizes):
        for cell in cells(*wanted):
            judged, lost = judged + 1, lost + cell.lost
            if cell.lost:
                ms = ", ".join(f"{method} {taken:.2f}" for method, taken in cell.ms.items())
                print(f"{cell.case}, first {cell.n_queries} {cell.way}: {ms} ms, {cell.to_best:.1f}x", flush=True)
    print(f"{lost} of {judged} cells lost")


if __name__ == "__main__":
    with one_thread():
        main()
