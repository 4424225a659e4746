"""One thread for everybody, the machine block in every report, and rows named by their suite."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning
from threads import one_thread

import hashindex as hx
from hashindex.support import machine


@pytest.fixture(autouse=True)
def held(request: pytest.FixtureRequest) -> Iterator[None]:
    with nullcontext() if request.node.get_closest_marker("all_threads") else one_thread():
        yield
    gc.collect()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was measured here before, perhaps on a busy day, tells the planner nothing: a new user has none either."""
    os.environ["HASHINDEX_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "large: gigabytes or many minutes; make bench leaves it out")
    config.addinivalue_line("markers", "all_threads: takes all there are, and says so")
    config.addinivalue_line("filterwarnings", "ignore::pytest_benchmark.logger.PytestBenchmarkWarning")  # of skips
    warnings.filterwarnings("ignore", category=PytestBenchmarkWarning)  # of a suite that skips as a whole, at the end


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    names = ("usearch", "pynear", "pillow", "pytest-benchmark", "sentence-transformers")
    peers = {name: machine.installed(name) for name in names}
    output_json["hashindex_machine"] = {
        **machine.describe(),
        **{name: version for name, version in peers.items() if version},
        "engine": hx.HashIndex(64).engine_name,
    }
    del output_json["machine_info"]
