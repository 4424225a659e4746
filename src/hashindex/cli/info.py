"""The command ``hashindex info``."""

from __future__ import annotations

import argparse
import warnings
from typing import Any

from .. import engines
from ..inputs.numbers import n_threads
from ..support import machine

NAME = "info"


def add_parser(commands: Any) -> None:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` returned."""
    commands.add_parser(
        NAME,
        help="show the engine in use and what is installed",
        description="Show the version, the engine and ISA that searches use here, the number of threads, and the "
        "versions of what is installed.",
    )


def run(_: argparse.Namespace, /) -> int:
    """Print it and return 0."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine = engines.load()
    rows = {
        "engine": engine.description,
        "engines here": ", ".join(engines.available()),
        "threads": str(n_threads()),
        **machine.describe(),
    }
    if "native" in engines.available():
        from ..engines.native.engine import available_isas

        rows["ISAs of this CPU"] = ", ".join(available_isas())
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")
    for warning in caught:
        print(f"note: {warning.message}")
    return 0
