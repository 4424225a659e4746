"""What auto chooses beside the best of the others: over sets, radii, k and sizes of batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import measure
import numpy as np
import pytest
from sets import Codes, Data, clustered, collapsed, molecules, patches, pdq, uniform

import hashindex as hx
from hashindex.index import Method

SETS: dict[str, Callable[[], Data]] = {
    "uniform 64": lambda: uniform(64),
    "uniform 256": lambda: uniform(256),
    "clustered 64": lambda: clustered(64),
    "collapsed 64": lambda: collapsed(64),
    "patches 64": lambda: patches(64),
    "patches 256": lambda: patches(256),
    "PDQ-like 256": pdq,
    "molecules 1,024": molecules,
}
WORK = [("radius", 0), ("radius", 2), ("radius", 4), ("radius", 8), ("radius", 31), ("k", 1), ("k", 10), ("k", 100)]
BUILT: tuple[Method, ...] = ("multi-index", "clusters", "folds")
LONGEST_S = 1.0  # a method that needs this long for a part of the batch is not timed on all of it


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("work", WORK, ids=lambda work: " ".join(map(str, work)))
@pytest.mark.parametrize("batch", [1, 200])
def test_planner(benchmark: Any, name: str, work: tuple[str, int], batch: int) -> None:
    kind, size = work
    data = SETS[name]().first(batch)
    index = built(name)

    def search(method: Any, queries: Codes = data.queries) -> Any:
        how: dict[str, Any] = {kind: size, "method": method}
        return index.search(queries, **how, n_threads=1)

    found = {method: search(method) for method in ("auto", "scan")}
    assert all(map(np.array_equal, found["auto"], found["scan"]))
    part = data.queries[: max(1, batch // 20)]
    methods = ["auto", "scan"]
    methods += [method for method in BUILT if measure.seconds(partial(search, method, part)) < LONGEST_S]
    measure.settle(lambda: search("auto"))
    medians = measure.alternating({method: partial(search, method) for method in methods})
    best = min(methods[1:], key=lambda method: medians[method])
    benchmark.extra_info.update(
        row="planner",
        case=f"{name}, {kind} {size}, batch of {batch}",
        peer="auto",
        n_queries=batch,
        us={method: round(median / batch * 1e6, 3) for method, median in medians.items()},
        best=best,
        to_best=medians["auto"] / medians[best],
    )
    benchmark.pedantic(lambda: search("auto"), rounds=1)


@lru_cache(1)
def built(name: str) -> hx.HashIndex:
    """An index of the set with all that can be built of it."""
    data = SETS[name]()
    index = hx.HashIndex(data.n_bits)
    index.add(data.codes)
    for method in BUILT:
        index.search(data.queries[:1], radius=0, method=method, n_threads=1)
    return index
