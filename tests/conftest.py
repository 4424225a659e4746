"""Every engine, and every ISA of the native one that this CPU has, as one parameter."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from hashindex import engines
from hashindex.engines import Engine


def _variants() -> dict[str, Callable[[], Engine]]:
    variants: dict[str, Callable[[], Engine]] = {}
    for name in engines.available():
        if name == "native":
            from hashindex.engines.native import NativeEngine, available_isas

            for isa in available_isas():
                variants[f"native-{isa}"] = lambda isa=isa: NativeEngine(isa)  # type: ignore[misc]
        else:
            variants[name] = lambda name=name: engines.load(name)  # type: ignore[misc]
    return variants


VARIANTS = _variants()


@pytest.fixture(scope="session", params=VARIANTS)
def engine(request: pytest.FixtureRequest) -> Engine:
    return VARIANTS[request.param]()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the planner measures stays out of the user's folders."""
    os.environ["HASHINDEX_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20170800)
