"""Exact k nearest on real, skewed codes, beside approximate indexes at a recall of 0.98 and more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import measure
import pytest
from nearest_peers import PEERS, SLOW
from sets import Data, molecules, patches, sentences

K = 10
CASES: dict[str, Callable[[], Data]] = {
    "patches, 64 bits": lambda: patches(64),
    "patches, 128 bits": lambda: patches(128),
    "patches, 256 bits": lambda: patches(256),
    "molecules, 1,024 bits, 3e5": molecules,
    "sentences, 384 bits, 2e5": sentences,
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", PEERS)
def test_nearest(benchmark: Any, case: str, name: str) -> None:
    data = CASES[case]()
    if name == "pynear-mih" and data.name != "patches":
        pytest.skip("measured on patches alone")
    data = data.first(SLOW.get(name, len(data.queries)))
    measure.nearest(benchmark, PEERS[name](data).build(data.codes), data, K, row="nearest", case=case)
