"""Crashes and failing disks at every system call that changes the disk: `python crashes.py [--every N] [--kinds ...]`.

A workload of adds, removals, merges, compactions and batches runs under strace (Linux), once for each call that it
makes in the store's folder: there it is killed, or the call fails. Then the store must hold what was acknowledged, or
the one step more that was under way.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from hashindex import HashIndex
from hashindex.segments import segment
from hashindex.store import transaction
from hashindex.writing import adding, merger, merging
from histories import KINDS, Model, content, step

CALLS = ("write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "mkdir")
N_STEPS = 36


class AtOnce:
    """In the place of a thread: strace counts the calls of each thread apart."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], name: str) -> None:
        self.run = partial(target, *args)
        self.name = name

    def start(self) -> None:
        self.run()

    def is_alive(self) -> bool:
        return False


def small() -> None:
    """Let a few codes make segments and merges, these at once, none for idleness, and a few operations a new log."""
    vars(merger)["Thread"] = AtOnce
    adding.TAIL_CODES = 16
    segment.LARGE = 20
    transaction.MOST_LOGGED = 120
    merging.MOST_APART = 1.0


def do(i: int, index: HashIndex, model: Model) -> None:
    """Step i of the workload: the same whenever it is done."""
    rng = np.random.default_rng(i)
    if i % 9 == 5:
        with index.batch():
            for _ in range(3):
                step(rng, index, model)
    elif i % 12 == 11:
        index.compact()
    elif i % 12 == 8:
        step(rng, index, model, KINDS[:-1])
        index._merge_soon(all_due=True)  # as searches do that have paid for it
    else:
        step(rng, index, model, KINDS[:-1])


def states() -> list[Model]:
    """What the store must hold after so many steps."""
    usual = adding.TAIL_CODES, segment.LARGE, transaction.MOST_LOGGED, merging.MOST_APART, vars(merger)["Thread"]
    small()
    try:
        index, model, after = HashIndex(64), Model(), [Model()]
        for i in range(N_STEPS):
            do(i, index, model)
            after.append(dict(model))
        return after
    finally:
        adding.TAIL_CODES, segment.LARGE, transaction.MOST_LOGGED, merging.MOST_APART, vars(merger)["Thread"] = usual


def work(folder: Path, acknowledged: int, sync: Literal["always", "os"] = "always") -> None:
    """Run the workload, opening the store anew half-way; tell each step that is done by one byte.

    A step that fails must leave everything as it was, and succeed when it is tried again.
    """
    small()
    model, failures = Model(), 0
    for begin in (0, N_STEPS // 2):
        while True:
            try:
                index = HashIndex.open(folder, 64, sync=sync)
                break
            except OSError:
                failures += 1
                assert failures == 1
        for i in range(begin, begin + N_STEPS // 2):
            before = dict(model)
            try:
                do(i, index, model)
            except OSError:
                failures += 1
                assert failures == 1
                assert content(index) == before, "memory after a failure"
                with HashIndex.open(folder, mode="r") as reader:
                    assert content(reader) == before, "disk after a failure"
                model = before
                do(i, index, model)
            assert content(index) == model
            os.writev(acknowledged, [b"."])  # no call that is killed
        try:
            index.remove([])  # a change of nothing, to be told of a merge that failed
        except OSError:
            failures += 1
            assert failures == 1
        index.check()
        index.close()
    os.writev(acknowledged, [b"!" if failures else b"="])


class Point(NamedTuple):
    """The n-th call of its name."""

    call: str
    n: int


def traced(folder: Path, options: list[str], log: Path | None = None, sync: str = "always") -> tuple[int, bytes, bytes]:
    """Exit status, acknowledgements and errors of the workload under strace."""
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(log or "/dev/null"),
        *options,
        sys.executable,
        __file__,
        "--work",
    ]
    reading, writing = os.pipe()
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, str(folder), str(writing), sync], stderr=subprocess.PIPE, env=environment, pass_fds=(writing,)
    )
    os.close(writing)
    _, errors = process.communicate()
    with os.fdopen(reading, "rb") as file:
        return process.returncode, file.read(), errors


def points(folder: Path) -> list[Point]:
    """Every call of the workload that changes the folder, from one run of it."""
    log = folder.with_suffix(".log")
    status, told, errors = traced(folder, ["-y", "-e", f"trace={','.join(CALLS)}"], log)
    assert (status, told) == (0, b"." * N_STEPS + b"="), errors.decode()
    counts, found = Counter[str](), []
    for line in log.read_text(errors="replace").splitlines():
        call = re.match(r"\d+\s+(\w+)\(", line)
        if call:
            counts[call[1]] += 1
            if str(folder) in line:
                found.append(Point(call[1], counts[call[1]]))
    return found


def try_point(point: Point, kind: str, folder: Path, after: list[Model]) -> str:
    """Run the workload with one call killed, or failing; return what came of it, or raise AssertionError."""
    what = "signal=KILL" if kind == "KILL" else f"error={kind}"
    options = ["-e", f"trace={point.call}", "-e", f"inject={point.call}:{what}:when={point.n}"]
    status, told, errors = traced(folder, options)
    n = told.count(b".")
    if kind == "KILL":
        assert status in (-9, 137), f"{point}: not killed ({status}) {errors.decode()}"
        allowed = after[n : n + 2]
        if n or (folder / "store.sqlite").exists():  # else it was not even made
            with HashIndex.open(folder, mode="r") as reader:
                assert content(reader) in allowed, f"{point}: a reader finds a state that was never acknowledged"
        outcome = "killed"
    else:
        assert status == 0, f"{point} {kind}: {errors.decode()}"
        allowed = after[-1:]
        outcome = "raised" if told.endswith(b"!") else "went unnoticed, to no harm"
    with HashIndex.open(folder, 64) as index:
        index.check()
        assert content(index) in allowed, f"{point} {kind}: after {n} steps {len(index)} codes"
        named = set(index._store.view.files) if index._store else set()
        assert len(list((folder / "segments").iterdir())) == len(named), f"{point} {kind}: files that are not named"
        index.add(np.zeros((100, 8), np.uint8))
    shutil.rmtree(folder)
    return outcome


def prove(every: int = 1, kinds: tuple[str, ...] = ("KILL", "ENOSPC", "EIO"), n_workers: int = 2) -> Counter[str]:
    """Try every so-manieth point with each kind; return how many ended how. AssertionError names the first bad one."""
    after, results = states(), Counter[str]()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(n_workers) as pool:
        found = points(Path(name) / "recorded")
        results["points"] = len(found)
        jobs = [
            pool.submit(try_point, point, kind, Path(name) / f"{kind}-{point.call}-{point.n}", after)
            for kind in kinds
            for point in found[::every]
        ]
        try:
            for kind, job in zip(np.repeat(kinds, len(found[::every])), jobs, strict=True):
                results[f"{kind}: {job.result()}"] += 1
        finally:
            pool.shutdown(cancel_futures=True)
    return results


def main() -> None:
    """Tell how many points there are, and how they ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", nargs=3)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", default=["KILL", "ENOSPC", "EIO"])
    given = parser.parse_args()
    if given.work:
        work(Path(given.work[0]), int(given.work[1]), given.work[2])
        return
    begin = time.perf_counter()
    for what, n in prove(given.every, tuple(given.kinds)).items():
        print(f"{n:6,}  {what}")
    print(f"{time.perf_counter() - begin:6,.0f}  seconds; nothing acknowledged was lost, nothing invented")


if __name__ == "__main__":
    main()
