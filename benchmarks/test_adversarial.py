"""Sets made to be slow: whatever auto chooses should cost about what the plain scan does."""

from __future__ import annotations

from typing import Any

import measure
import pytest
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
@pytest.mark.parametrize("method", ["auto", "scan"])
def test_adversarial(benchmark: Any, name: str, work: str, method: Any) -> None:
    data = SETS[name]()
    radius, k = WORK[work]
    peer = HashIndex(method=method).build(data.codes)
    labels = {"row": "adversarial", "case": f"{name}, {work}"}
    if k is None:
        measure.radius(benchmark, peer, data, radius, **labels)
    else:
        measure.nearest(benchmark, peer, data, k, **labels)
