"""The command ``hashindex doctor``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from .. import engines
from ..inputs.numbers import n_threads
from ..structures import calibration
from ..support import machine
from ..support.threads import usable_cpus
from .checks import engine_in_use, missing

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
Finding = tuple[bool, str, str]  # whether all is well, what was looked at, and what was seen


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Look at the processor, the engine, threads, huge pages and the cache folder, and tell what makes "
        "searches slower than they could be here, and what to do about it."
    )
    parser.epilog = "Exit status: 0 nothing does, 1 something does."


def run(_: argparse.Namespace, /) -> int:
    """Print what was found, and return 0, or 1 if anything is slow."""
    findings = list(_findings())
    width = max(len(what) for _, what, _ in findings)
    for is_well, what, seen in findings:
        print(f"{'ok  ' if is_well else 'slow'}  {what:<{width}}  {seen}")
    return int(not all(is_well for is_well, _, _ in findings))


def _findings() -> Iterator[Finding]:
    yield True, "processor", f"{machine.processor()}, {os.cpu_count()} CPUs"
    yield _engine()
    yield from _isa()
    yield _threads()
    yield from _huge_pages()
    yield _cache()


def _engine() -> Finding:
    engine, warned = engine_in_use()
    if engine.name == "native":
        return True, "engine", engine.description
    why = "; ".join(warned) or "the native core is not installed"
    numba = "" if not missing(["numba"]) else "; pip install 'hashindex[numba]' is the next best"
    return (
        False,
        "engine",
        f"{engine.description}: {why}; a C++ compiler and pip install --force-reinstall of a clone build it{numba}",
    )


def _isa() -> Iterator[Finding]:
    if "native" not in engines.available():
        return
    from ..engines.native.engine import NativeEngine, available_isas

    best, used = available_isas()[0], NativeEngine().isa
    forced = os.environ.get("HASHINDEX_ISA")
    if used != best and forced:
        yield False, "ISA", f"{used}, as HASHINDEX_ISA={forced} says; this CPU has {best}: unset it"
    elif best in ("scalar", "popcnt"):
        yield False, "ISA", f"{used}: this CPU, or the virtual machine, has no AVX2"
    else:
        yield True, "ISA", f"{used}, of {', '.join(available_isas())}"


def _threads() -> Finding:
    n, usable, there = n_threads(), usable_cpus(), os.cpu_count() or 1
    named = os.environ.get("HASHINDEX_NUM_THREADS")
    if n < usable:
        why = f"HASHINDEX_NUM_THREADS={named} says so" if named else "a limit says so"
        return False, "threads", f"{n}, though {usable} CPUs may be used: {why}"
    if n > usable:
        return False, "threads", f"{n}, but only {usable} CPUs may be used: HASHINDEX_NUM_THREADS={named} is too many"
    return True, "threads", f"{n}" if usable == there else f"{n}: this process may use {usable} of {there} CPUs"


def _huge_pages() -> Iterator[Finding]:
    try:
        modes = HUGE_PAGES.read_text(encoding="ascii")
    except OSError:
        return  # no Linux
    if "[never]" in modes:
        told = f"off: lookups in large tables miss the TLB; echo madvise > {HUGE_PAGES} (as root) lets arrays have them"
        yield False, "huge pages", told
    else:
        yield True, "huge pages", modes[modes.find("[") + 1 : modes.find("]")]


def _cache() -> Finding:
    try:
        path = calibration.kept_in()
        if calibration.is_measured(engines.load()):
            return True, "cache", f"{path}: this machine was measured"
        path.parent.mkdir(parents=True, exist_ok=True)
        usable = os.access(path.parent, os.W_OK)
    except (OSError, RuntimeError) as error:
        return False, "cache", f"no folder: {error}; HASHINDEX_CACHE names another"
    if not usable:
        return (
            False,
            "cache",
            f"{path.parent}: cannot be written: each process measures anew; HASHINDEX_CACHE names another",
        )
    return True, "cache", f"{path}: nothing was measured yet, the usual is taken; HashIndex.prepare() measures once"
