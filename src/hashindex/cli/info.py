"""The command ``hashindex info``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from stat import S_ISREG

from .. import engines
from ..inputs.numbers import n_threads
from ..support import machine
from .checks import engine_in_use, is_store
from .stores import to_read


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Show the version, the engine and ISA that searches use here, the number of threads, and the "
        "versions of what is installed; or of a store, or a file of an index, what is in it."
    )
    parser.epilog = "example: hashindex info store/"
    parser.add_argument("store", nargs="?", type=Path, metavar="STORE", help="the folder of a store, or a file")


def run(options: argparse.Namespace) -> int:
    """Print it and return 0."""
    if options.store is not None:
        _print(_of_store(options.store))
        return 0
    engine, warned = engine_in_use()
    rows = {
        "engine": engine.description,
        "engines here": ", ".join(engines.available()),
        "threads": str(n_threads()),
        **machine.describe(),
    }
    if "native" in engines.available():
        from ..engines.native.engine import available_isas

        rows["ISAs of this CPU"] = ", ".join(available_isas())
    _print(rows)
    for message in warned:
        print(f"note: {message}")
    return 0


def _of_store(path: Path) -> dict[str, str]:
    index = to_read(path)
    n_bytes = sum(map(_size, path.rglob("*"))) if is_store(path) else _size(path)
    rows = {
        "codes": f"{len(index):,}",
        "bits of a code": str(index.n_bits),
        "bytes on the disk": f"{n_bytes:,}" + (f" ({n_bytes / len(index):.1f} a code)" if len(index) else ""),
        "meta": json.dumps(index.meta),
    }
    if is_store(path):
        rows["keys and payloads"] = f"{sum(1 for _ in index.items()):,}"
    return rows


def _size(path: Path) -> int:
    """Bytes of a file; none of a folder, nor of what a writer has removed since."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0
    return status.st_size if S_ISREG(status.st_mode) else 0


def _print(rows: dict[str, str]) -> None:
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")
