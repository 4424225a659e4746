"""Measure a peer on a set: its answer is checked first, then timed, and both go into the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import cycle, islice
from statistics import median
from typing import Any

from approximate_peers import Approximate
from checks import Near, hits_recall, near_recall, same_hits, same_near, true_hits, true_near
from numpy.typing import NDArray
from peers import Peer
from sets import Data
from threads import alone

ENOUGH = 0.98  # recall asked of approximate peers
PATIENCE_S = 2.0  # a batch this slow is not tried with more effort
SETTLE_S, SETTLE_CALLS = 1.0, 20  # calls before the timing, for a planner that learns

LONE_CALLS, LONE_BLOCK_S = 100, 0.5  # a block of lone calls
LONE_SETTLE_CALLS = 10_000  # before them


def radius(benchmark: Any, peer: Peer, data: Data, radius: int, /, *, sample: int = 1000, **labels: Any) -> None:
    """Time all queries; the first ``sample`` answers are compared with faiss's exhaustive search."""
    few = data.first(sample)
    found, expected = peer.radius(few.queries, radius), true_hits(few, radius)
    if peer.exact:
        assert same_hits(found, expected), f"{peer.name} {peer.settings} is not exact"
    timed(
        benchmark,
        lambda: peer.radius(data.queries, radius),
        describe(peer, data, hits_recall(found, expected)) | {"radius": radius} | labels,
    )


def nearest(benchmark: Any, peer: Peer, data: Data, k: int, /, **labels: Any) -> None:
    """Time all queries; an approximate peer is given the least effort of enough recall."""
    expected = true_near(data, k)
    recall = 1.0
    if isinstance(peer, Approximate):
        recall = tune(peer, data, k, expected)
    else:
        assert same_near(data, peer.nearest(data.queries, k), expected), f"{peer.name} {peer.settings} is not exact"
    timed(benchmark, lambda: peer.nearest(data.queries, k), describe(peer, data, recall) | {"k": k} | labels)


def tune(peer: Approximate, data: Data, k: int, expected: Near) -> float:
    """Raise the effort until the recall is enough, or patience or efforts end; return the recall."""
    recall = 0.0
    for effort in peer.efforts:
        peer.effort = effort
        start = time.perf_counter()
        recall = near_recall(data, peer.nearest(data.queries, k), expected)
        if recall >= ENOUGH or time.perf_counter() - start > PATIENCE_S:
            break
    return recall


def fastest(peers: Iterable[Peer], data: Data, radius: int, *, sample: int = 1000) -> tuple[Peer, dict[str, float]]:
    """The fastest exact one of these settings on a sample of the queries, and the microseconds of all of them.

    A setting far slower than the best so far is dropped after a few queries, unless they took so little time that
    the call itself may be what was measured.
    """
    best: Peer | None = None
    times: dict[str, float] = {}
    for peer in peers:
        peer.build(data.codes)
        label = f"{peer.name} {peer.settings}".strip()
        for n in (4, sample):
            few = data.first(n).queries
            times[label] = round(min(seconds(partial(peer.radius, few, radius)) for _ in range(3)) / n * 1e6, 2)
            if times[label] > 4 * min(times.values()) and times[label] * n > 5000:
                break
        if times[label] == min(times.values()):
            best = peer
    assert best is not None
    return best, times


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternating(works: Mapping[str, Callable[[], object]], rounds: int = 7) -> dict[str, float]:
    """Median seconds of each work; rounds take turns, so that a noisy moment hits all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(seconds(work))
    return {name: median(taken) for name, taken in times.items()}


def lone(calls: Mapping[str, Callable[[Any], object]], queries: NDArray[Any], n_blocks: int = 5) -> dict[str, float]:
    """Median seconds of calls with one query, each with another; after a warm-up, peers take turns in blocks of calls.

    A block of a slow peer ends early.
    """
    pool = [queries[i : i + 1] for i in range(len(queries))]
    pools = {name: cycle(pool) for name in calls}

    def block(name: str) -> list[float]:
        call, taken, start = calls[name], [], time.perf_counter()
        for query in islice(pools[name], LONE_CALLS):
            before = time.perf_counter()
            call(query)
            after = time.perf_counter()
            taken.append(after - before)
            if after - start > LONE_BLOCK_S:
                break
        return taken

    for name, call in calls.items():
        settle(lambda call=call, name=name: call(next(pools[name])), LONE_SETTLE_CALLS)  # type: ignore[misc]
        alone(partial(block, name), name)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(n_blocks):
        for name in calls:
            times[name] += block(name)
    return {name: median(taken) for name, taken in times.items()}


def settle(work: Callable[[], object], most: int = SETTLE_CALLS) -> None:
    """Call until a planner that learns from the calls has decided."""
    start = time.perf_counter()
    for _ in range(most):
        work()
        if time.perf_counter() - start > SETTLE_S:
            return


def describe(peer: Peer, data: Data, recall: float = 1.0) -> dict[str, Any]:
    """What belongs beside the time of a peer."""
    return {
        "peer": peer.name,
        "settings": peer.settings,
        "recall": round(recall, 4),
        "build_s": peer.build_s,
        "data": data.name,
        "n_bits": data.n_bits,
        "n_codes": len(data.codes),
        "n_queries": len(data.queries),
        "threads": 1,
    }


def timed(benchmark: Any, work: Callable[[], object], labels: dict[str, Any], rounds: int = 5) -> None:
    """Time the work; a slow one gets fewer rounds. That of one thread must be so."""
    settle(work)
    once = alone(work, str(labels["peer"])) if labels.get("threads") == 1 else seconds(work)
    benchmark.extra_info.update(labels)
    benchmark.pedantic(work, rounds=rounds if once < 2 else 3 if once < 8 else 1)
