"""Every engine, and every ISA of the native one that this CPU has, as one parameter."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from hashindex import engines
from hashindex.engines import Engine


def _variants() -> dict[str, Callable[[], Engine]]:
    variants: dict[str, Callable[[], Engine]] = {}
    for name in engines.available():
        if name == "native":
            from hashindex.engines.native.engine import NativeEngine, available_isas

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


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Tiny networks learn fastest on one thread of PyTorch."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20170800)
