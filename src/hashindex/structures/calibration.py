"""How fast searches run on this machine: a short measurement, kept per processor and engine.

Predictions use it to choose between methods; no answer depends on it. It is kept in ``HASHINDEX_CACHE`` (a folder), by
default in the user's cache folder; where that cannot be written, each process measures anew.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from functools import partial
from math import log2
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engines.engine import Rows
from ..engines.tables import deal
from ..support.machine import processor

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..engines import Engine

VERSION = 2  # of the constants' meaning
MOST = 1e9  # nanoseconds that a cost may be
SMALL, LARGE = 2**14, 2**21  # codes of the tables measured: in the second-level cache, and beyond


@dataclass(frozen=True)
class Costs:
    """Nanoseconds, on one thread. The defaults are one Zen 5 core's; ``probe`` interpolates between sizes."""

    scan_code: float = 0.01  # a code against a query, in a batch
    scan_word: float = 0.025  # and each of its words
    stream_byte: float = 0.027  # a byte of codes for a lone query
    call: float = 3000.0  # a search of one segment, whatever it does
    lookup: tuple[float, float] = (2.0, 6.0)  # a bucket visited, for SMALL and LARGE
    copy: tuple[float, float] = (0.3, 0.6)  # a candidate with a copy
    row: tuple[float, float] = (2.0, 6.0)  # a candidate without
    build: float = 6.0  # a row of a table

    def scan(self, n_codes: int, n_bits: int, n_queries: int) -> float:
        """One query of ``n_queries`` by a scan of all codes."""
        words = (n_bits + 63) // 64
        stream = 8 * words * self.stream_byte / max(1, min(n_queries, 64))
        return n_codes * max(self.scan_code + words * self.scan_word, stream) + self.call / max(1, n_queries)

    def probe(self, n_codes: int, n_bits: int, copied: bool) -> tuple[float, float]:
        """A lookup and a candidate in a table of ``n_codes`` codes, with copies of them or without."""
        words = 1 if copied else (n_bits + 63) // 64
        share = (log2(max(n_codes * words, 2)) - log2(SMALL)) / log2(LARGE / SMALL)
        share = min(max(share, 0.0), 1.5)
        candidate = self.copy if copied else self.row
        return (
            self.lookup[0] + share * (self.lookup[1] - self.lookup[0]),
            candidate[0] + share * (candidate[1] - candidate[0]),
        )


_known: dict[str, Costs] = {}  # by engine, in this process


def costs(engine: Engine) -> Costs:
    """Measured costs of ``engine`` here; the defaults for an engine that is not made to be fast."""
    if engine.description not in _known:
        _known[engine.description] = _kept_or_measured(engine) if engine.name in ("native", "numba") else Costs()
    return _known[engine.description]


def _kept_or_measured(engine: Engine) -> Costs:
    key = f"{VERSION}: {processor()}, {engine.description}"
    try:
        path = _folder() / "costs.json"
    except RuntimeError:  # no home folder
        return measure(engine)
    try:
        return _read(json.loads(path.read_text(encoding="utf-8"))[key])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError):
        measured = measure(engine)
        _keep(path, key, measured)
        return measured


def _read(kept: dict[str, Any]) -> Costs:
    """Costs from a file; ValueError unless each is a number, or a pair of them, that a machine could have."""
    values: dict[str, Any] = {}
    for name, default in asdict(Costs()).items():
        numbers = [float(number) for number in (kept[name] if isinstance(default, tuple) else [kept[name]])]
        if len(numbers) != (2 if isinstance(default, tuple) else 1) or not all(0 <= n < MOST for n in numbers):
            raise ValueError(name)
        values[name] = tuple(numbers) if isinstance(default, tuple) else numbers[0]
    return Costs(**values)


def measure(engine: Engine) -> Costs:
    """Measure for some tenths of a second."""
    rng = np.random.default_rng(0)
    words = {n: rng.integers(0, 256, (2**15, 8 * n), dtype=np.uint8) for n in (1, 4)}
    batch = {n: _least(partial(engine.scan_radius, Rows(words[n]), words[n][:64], 0, 1)) / 2**21 for n in (1, 4)}
    scan_word = max((batch[4] - batch[1]) / 3, 1e-3)
    codes = rng.integers(0, 256, (LARGE, 8), dtype=np.uint8)
    stream = _least(partial(engine.scan_radius, Rows(codes), codes[:1], 0, 1)) / codes.nbytes
    call = _least(partial(engine.scan_radius, Rows(codes[:32]), codes[:1], 0, 1))
    lookup: list[float] = []
    copy: list[float] = []
    row: list[float] = []
    build = 0.0
    for n in (SMALL, LARGE):
        rows, layout = Rows(codes[:n]), deal(codes[:n], 64, n)
        start = perf_counter()
        tables = engine.build_tables(rows.codes, layout, 1)
        build = (perf_counter() - start) * 1e9 / (n * len(tables.widths))
        bare = tables._replace(copies=tables.copies[:0])
        queries = rng.integers(0, 256, (256, 8), dtype=np.uint8)
        allowed = np.full(len(tables.widths), -1, np.int32)
        allowed[0] = 2
        work = engine.probe_radius(rows, tables, queries, 0, allowed, 1).work
        with_copies = _least(partial(engine.probe_radius, rows, tables, queries, 0, allowed, 1))
        without = _least(partial(engine.probe_radius, rows, bare, queries, 0, allowed, 1))
        # A bucket of some eight copies is read like one line: most of the time is the lookup's.
        lookup.append(with_copies / work.lookups * 0.75)
        copy.append(with_copies / work.candidates * 0.25)
        row.append(max(without - with_copies, with_copies) / work.candidates)
    return Costs(max(batch[1] - scan_word, 0.0), scan_word, stream, call, _pair(lookup), _pair(copy), _pair(row), build)


def _pair(values: list[float]) -> tuple[float, float]:
    return values[0], max(values)


def _least(work: Callable[[], object]) -> float:
    """Nanoseconds of the fastest of some runs, the first of which may compile."""
    times = []
    for _ in range(4):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times[1:]) * 1e9


def _folder() -> Path:
    named = os.environ.get("HASHINDEX_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hashindex"


def _keep(path: Path, key: str, measured: Costs) -> None:
    """Add to the file, by a rename, so that a reader never sees half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump({**(known if isinstance(known, dict) else {}), key: asdict(measured)}, file, indent=1)
        try:
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink()
    except OSError:  # no room, no right
        return
