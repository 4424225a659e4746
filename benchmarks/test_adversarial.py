"""Sets made to be slow: whatever auto chooses should cost about what the plain scan does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import measure
import pytest
from checks import same_hits, same_near, true_hits, true_near
from peers import HashIndex
from sets import Data, all_equal, collapsed, descending, one_bucket, uniform

SETS: dict[str, Callable[[], Data]] = {
    "all equal": all_equal,
    "one bucket": one_bucket,
    "descending distances": descending,
    "collapsed, 1e6": lambda: collapsed(64, 1_000_000, 16),
    "uniform, for comparison": lambda: uniform(64, 1_000_000, 16),
}
WORK = {"k = 10": ("k", 10), "k = 1000": ("k", 1000), "radius 2": ("radius", 2)}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("work", WORK)
def test_adversarial(benchmark: Any, name: str, work: str) -> None:
    data = SETS[name]()
    kind, size = WORK[work]
    peers = [HashIndex(), HashIndex(method="scan")]
    works: dict[str, Callable[[], object]]
    if kind == "k":
        answers = [peer.build(data.codes).nearest(data.queries, size) for peer in peers]
        assert all(same_near(data, found, true_near(data, size)) for found in answers)
        works = {peer.name: partial(peer.nearest, data.queries, size) for peer in peers}
    else:
        few = data.first(2)  # a query may find everything
        expected = true_hits(few, size)
        assert all(same_hits(peer.build(data.codes).radius(few.queries, size), expected) for peer in peers)
        works = {peer.name: partial(peer.radius, data.queries, size) for peer in peers}
    for run in works.values():
        measure.settle(run)
    us = {peer: taken / len(data.queries) * 1e6 for peer, taken in measure.alternating(works).items()}
    benchmark.extra_info.update(row="adversarial", case=f"{name}, {work}", us=us)
    benchmark.pedantic(works["hashindex"], rounds=1)
