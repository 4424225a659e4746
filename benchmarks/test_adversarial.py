"""Sets made to be slow: whatever auto chooses should cost about what the plain scan does."""

from __future__ import annotations

from typing import Any

import measure
import pytest
from checks import same_hits, same_near, true_hits, true_near
from datasets import all_equal, collapsed, descending, one_bucket, uniform
from peers import HashIndex

SETS = {
    "all equal": all_equal,
    "one bucket": one_bucket,
    "descending distances": descending,
    "collapsed, 1e6": lambda: collapsed(64, 1_000_000, 16),
    "uniform, for comparison": lambda: uniform(64, 1_000_000, 16),
}
WORK = {"k = 10": (None, 10), "k = 1000": (None, 1000), "radius 2": (2, None)}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("work", WORK)
def test_adversarial(benchmark: Any, name: str, work: str) -> None:
    data = SETS[name]()
    radius, k = WORK[work]
    peers = [HashIndex(), HashIndex(method="scan")]
    if radius is None:
        answers = [peer.build(data.codes).nearest(data.queries, k) for peer in peers]
        assert all(same_near(data, found, true_near(data, k)) for found in answers)
        works = {peer.name: lambda p=peer: p.nearest(data.queries, k) for peer in peers}
    else:
        few = data.first(2)  # a query may find everything
        expected = true_hits(few, radius)
        assert all(same_hits(peer.build(data.codes).radius(few.queries, radius), expected) for peer in peers)
        works = {peer.name: lambda p=peer: p.radius(data.queries, radius) for peer in peers}
    for run in works.values():
        measure.settle(run)
    us = {peer: taken / len(data.queries) * 1e6 for peer, taken in measure.alternating(works).items()}
    benchmark.extra_info.update(row="adversarial", case=f"{name}, {work}", us=us)
    benchmark.pedantic(works["hashindex"], rounds=1)
