"""How fast searches run on this machine: a short measurement, kept per processor and engine.

No search measures: it takes what is kept, or else what was measured on processors of that kind. ``HashIndex.prepare``
does, once: it is kept in ``HASHINDEX_CACHE`` (a folder), by default in the user's cache folder.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from math import inf
from pathlib import Path
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from ..engines.query import RadiusQuery
from ..engines.rows import Codes, Rows
from ..segments.segment import Segment
from ..support.cache import cache_folder
from ..support.files import write_text
from ..support.machine import processor
from .costs import LARGE, SMALL, Costs, folding
from .multi_index import MultiIndex
from .multi_index.layout import deal
from .structure import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..engines import Engine

VERSION = 12  # of the constants' meaning
WAITED, MOMENT_S = 0.1, 0.02  # share of a measurement, and seconds, for which it may wait for the processor
LEAST, MOST = 1e-9, 1e9  # nanoseconds that a cost may be, if not 0

PLANES, SLICES = 31.0, 16.0  # bytes after which batches leave codes: csrc/kernels/planes_body.h, slice_tables.h


class Unmeasured(TypedDict, total=False):
    """Fields of :class:`Costs` that a kernel has by how it works: how batches turn codes, and what stays warm."""

    chunk: float
    turned: float
    eager: float
    warm: float


BY_PLANES: Unmeasured = {"chunk": PLANES, "turned": 5.0, "eager": 1.0}  # csrc/search/plane_buffer.h says from when on
BY_SLICES: Unmeasured = {"chunk": SLICES, "turned": 10.0, "eager": 0.0}  # csrc/search/code_runs.h
BY_KERNEL: dict[str, Unmeasured] = {
    "native (avx2)": {**BY_SLICES, "warm": 0.5},
    "native (avx512bw)": BY_PLANES,
    "native (neon)": BY_PLANES,
}
"""What is not measured, by engine."""

DEFAULT = Costs()
INTEL_AVX2 = Costs(
    scan_code=0.007,
    scan_word=0.11,
    lone_code=0.0,
    lone_word=0.19,
    **BY_SLICES,
    stream_byte=0.036,
    cached=2.0**21,
    call=2500.0,
    lookup=(14.0, 32.0),
    copy=(0.6, 0.6),
    row=(2.4, 3.9),
    build=18.0,
    sift=6.0,
    fold=0.12,
    look=2.0,
)
USUAL = {
    "AMD, native (avx2)": Costs(  # Zen 3
        scan_code=0.0,
        scan_word=0.1,
        lone_code=0.0,
        lone_word=0.3,
        **BY_KERNEL["native (avx2)"],
        stream_byte=0.08,
        cached=2.0**23,
        call=2500.0,
        lookup=(16.0, 55.0),
        copy=(1.0, 1.5),
        row=(4.0, 10.0),
        shell=150.0,
        build=20.0,
        sift=9.0,
        fold=0.09,
        look=1.8,
    ),
    "AMD, native (avx512)": Costs(  # Zen 5
        scan_code=0.003,
        scan_word=0.028,
        lone_code=0.0,
        lone_word=0.105,
        stream_byte=0.027,
        call=2500.0,
        lookup=(8.7, 13.0),
        copy=(0.5, 0.9),
        row=(2.5, 4.5),
        build=15.0,
    ),
    "Intel, native (avx2)": INTEL_AVX2,  # Granite Rapids, as the next two; batches by planes, not yet by slices
    "Intel, native (avx512bw)": replace(INTEL_AVX2, scan_code=0.006, scan_word=0.085, **BY_PLANES),
    "Intel, native (avx512)": Costs(
        scan_code=0.0,
        scan_word=0.066,
        lone_code=0.0,
        lone_word=0.105,
        stream_byte=0.036,
        cached=2.0**21,
        call=2500.0,
        lookup=(10.0, 18.0),
        copy=(0.43, 0.43),
        row=(2.0, 4.6),
        build=19.0,
        fold=0.12,
        look=2.0,
    ),
}
"""By maker of the processor and engine, measured on one core. Others have the defaults until ``prepare`` measures."""


_known: dict[str, Costs] = {}  # by engine, in this process


def usual(engine: Engine) -> Costs:
    """What such an engine takes on processors of that kind."""
    return USUAL.get(f"{_maker()}, {engine.description}", DEFAULT)


def costs(engine: Engine) -> Costs:
    """What was measured for ``engine`` here and kept, else the usual."""
    if engine.description not in _known:
        try:
            _known[engine.description] = _read(json.loads(kept_in().read_text(encoding="utf-8"))[_key(engine)])
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            _known[engine.description] = usual(engine)
    return _known[engine.description]


def calibrate(engine: Engine) -> None:
    """Measure ``engine`` for some tenths of a second and keep the result, unless that was done before.

    What was measured while others had the processor is no cost of a search: it is dropped, and the usual goes on.
    """
    if is_measured(engine):
        return
    start, own = perf_counter(), thread_time()
    measured = measure(engine)
    taken, own = perf_counter() - start, thread_time() - own
    if taken - own > max(WAITED * taken, MOMENT_S):
        return
    _known[engine.description] = measured
    with suppress(RuntimeError):  # no home folder
        _keep(kept_in(), _key(engine), _known[engine.description])


def _maker() -> str:
    return processor().partition(" ")[0].partition("(")[0]


def _key(engine: Engine) -> str:
    return f"{VERSION}: {processor()}, {engine.description}"


def kept_in() -> Path:
    """The file of what was measured; RuntimeError where there is no home folder."""
    return cache_folder() / "costs.json"


def is_measured(engine: Engine) -> bool:
    """Whether ``engine`` was measured here, and not only its like elsewhere."""
    return costs(engine) is not usual(engine)


def _read(kept: dict[str, Any]) -> Costs:
    """Costs from a file; ValueError unless each is a number, or a pair of them, that a machine could have."""
    values: dict[str, Any] = {}
    for name, default in asdict(Costs()).items():
        numbers = [float(number) for number in (kept[name] if isinstance(default, tuple) else [kept[name]])]
        may_be = all(n == 0 or LEAST <= n < MOST for n in numbers)
        if not may_be or len(numbers) != (2 if isinstance(default, tuple) else 1):
            raise ValueError(name)
        values[name] = tuple(numbers) if isinstance(default, tuple) else numbers[0]
    return Costs(**values)


def measure(engine: Engine) -> Costs:
    """Measure for some tenths of a second."""
    rng = np.random.default_rng(0)
    words = {n: rng.integers(0, 256, (2**15, 8 * n), dtype=np.uint8) for n in (1, 4)}
    batch = {n: _least(partial(_scan, engine, words[n], 64)) / 2**21 for n in (1, 4)}
    lone = {n: _least(partial(_scan, engine, words[n], 1)) / 2**15 for n in (1, 4)}
    codes = rng.integers(0, 256, (LARGE, 8), dtype=np.uint8)
    stream = _least(partial(_scan, engine, np.tile(codes, (4, 1)), 1)) / (4 * codes.nbytes)
    middle, few = (stream + lone[1] / 8) / 2, codes[: LARGE // 4]
    cached = (some.nbytes for some in (codes, few) if _least(partial(_scan, engine, some, 1)) / some.nbytes < middle)
    call = _least(partial(_scan, engine, codes[:32], 1))
    rows = Rows(words[4])
    folds, wide_query = engine.folds.build(rows.codes, 16, 1), RadiusQuery(rows.codes[:64], np.full(64, 60, np.int32))
    n_sifted = engine.folds.radius(rows, folds, wide_query).work.candidates
    sifting = _least(partial(engine.folds.radius, rows, folds, wide_query))
    sift = max(sifting - _least(partial(_scan, engine, folds, 64)), 0.0) / n_sifted
    look = _least(partial(_look, words[4])) / MultiIndex().look_cost(_segment(words[4]), DEFAULT)
    wide = codes.reshape(-1, 64)
    fold = _least(partial(engine.folds.build, wide, 16, 1)) / folding(wide.shape, [2])
    lookup: list[float] = []
    copy: list[float] = []
    row: list[float] = []
    build = 0.0
    for n in (SMALL, LARGE):
        rows, layout = Rows(codes[:n]), deal(codes[:n], 64, n)
        start = perf_counter()
        tables = engine.multi_index.build(rows.codes, layout, 1)
        build = (perf_counter() - start) * 1e9 / (n * len(tables.widths))
        bare = tables._replace(copies=tables.copies[:0])
        query = RadiusQuery(rng.integers(0, 256, (256, 8), dtype=np.uint8), np.zeros(256, np.int32))
        allowed = np.full(len(tables.widths), -1, np.int32)
        allowed[0] = 2
        work = engine.multi_index.radius(rows, tables, query, allowed).work
        with_copies = _least(partial(engine.multi_index.radius, rows, tables, query, allowed))
        without = _least(partial(engine.multi_index.radius, rows, bare, query, allowed))
        # A bucket of some eight copies is read like one line: most of the time is the lookup's.
        lookup.append(with_copies / work.lookups * 0.67)
        copy.append(with_copies / work.candidates * 0.33)
        row.append(max(without - with_copies, with_copies) / work.candidates)
    scan_word, lone_word = (max((each[4] - each[1]) / 3, 1e-3) for each in (batch, lone))
    return Costs(
        scan_code=max(batch[1] - scan_word, 0.0),
        scan_word=scan_word,
        lone_code=max(lone[1] - lone_word - call / 2**15, 0.0),
        lone_word=lone_word,
        **BY_KERNEL.get(engine.description, {}),
        stream_byte=stream,
        cached=next(cached, few.nbytes / 2),
        call=call,
        lookup=_pair(lookup),
        copy=_pair(copy),
        row=_pair(row),
        build=build,
        sift=sift,
        fold=fold,
        look=look,
    )


def _scan(engine: Engine, codes: Codes, n_queries: int) -> None:
    """Within two bits per byte: few codes are found, but all their bytes are looked at."""
    radii = np.full(n_queries, 2 * codes.shape[1], np.int32)
    engine.scan.radius(Rows(codes), RadiusQuery(codes[:n_queries], radii))


def _look(codes: Codes) -> None:
    """A first look at them."""
    MultiIndex().predict(_segment(codes), None, np.array([8]), Kind(None, 8, 1, 1, DEFAULT, inf))


def _segment(codes: Codes) -> Segment:
    return Segment.of(8 * codes.shape[1], codes, np.arange(len(codes)))


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


def _keep(path: Path, key: str, measured: Costs) -> None:
    """Add to the file, of which a reader never sees half."""
    with suppress(OSError):  # no room, no right
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        kept = {**(known if isinstance(known, dict) else {}), key: asdict(measured)}
        write_text(path, json.dumps(kept, indent=1))
