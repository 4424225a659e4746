"""Power failures: `python power_failures.py [--random N]`.

From the traced system calls of the workload in ``crashes.py`` come the states that a disk may be left in: what was not
synced when the power went is there, or not, or in part, whatever was written first. Each must open to what was
acknowledged, or one step more; with ``sync="os"`` to a state that once was.
"""

from __future__ import annotations

import argparse
import itertools
import re
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from crashes import N_STEPS, states, traced
from hashindex import HashIndex
from histories import content

SECTOR = 512
FOLDERS = ("/store", "/segments")
CALLS = "openat,write,pwrite64,writev,fsync,fdatasync,rename,unlink,ftruncate,mkdir"


class Effect(NamedTuple):
    """What one call does to the disk, sooner or later. A folder has no content, and is a name like others."""

    path: str  # of the name that it sets or removes; "" for content
    inode: int | None  # what the name is then of, or what the content is of; a sync has neither
    offset: int = 0
    data: bytes | None = None  # None: the file is cut at the offset


class Trace(NamedTuple):
    """The effects in order; when each was synced, and how many steps were acknowledged before each."""

    effects: list[Effect]
    synced: list[int]  # per effect: the number of effects when it was surely on the disk
    acknowledged: list[int]


def _text(quoted: str) -> bytes:
    return bytes.fromhex(quoted.replace("\\x", ""))


def parse(log: Path, folder: Path) -> Trace:
    """Read a trace of strace -y -xx."""
    effects: list[Effect] = []
    synced: list[int] = []
    acknowledged: list[int] = []
    names: dict[str, int] = {}
    places: dict[str, int] = {}  # where a file is written next, by descriptor
    inodes, told = itertools.count(), 0

    def add(*new: Effect) -> None:
        for one in new:
            effects.append(one)
            synced.append(2**60)
            acknowledged.append(told)

    for line in log.read_text().splitlines():
        call = re.match(r"\d+ +(\w+)\((.*)\) += (\d+)", line)
        if not call:
            continue
        name, arguments, result = call[1], call[2], int(call[3])
        strings = [_text(one) for one in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)]
        opened = re.match(r"(\d+)<((?:\\x[0-9a-f]{2}|[^>])*)>", arguments)
        descriptor, path = (opened[1], opened[2]) if opened else ("", strings[0].decode() if strings else "")
        path = _text(path).decode() if path.startswith("\\x") else path
        if name == "writev" and strings == [b"."]:
            told += 1
        if not path.startswith(str(folder)) or path.endswith("-shm"):
            continue
        if name == "openat":
            places[str(result)] = 0
            if path not in names and "O_CREAT" in arguments:
                names[path] = next(inodes)
                add(Effect(path, names[path]))
            if "O_TRUNC" in arguments:
                add(Effect("", names[path], 0, None))
        elif name == "mkdir":
            names[path] = next(inodes)
            add(Effect(path, names[path]))
        elif name in ("write", "pwrite64"):
            offset = int(arguments.rsplit(", ", 1)[1]) if name == "pwrite64" else places[descriptor]
            places[descriptor] = offset + result
            add(Effect("", names[path], offset, strings[0][:result]))
        elif name == "ftruncate":
            add(Effect("", names[path], int(arguments.rsplit(", ", 1)[1]), None))
        elif name == "rename":
            new = strings[1].decode()
            names[new] = names.pop(path)
            add(Effect(new, names[new]), Effect(path, None))
        elif name == "unlink":
            names.pop(path)
            add(Effect(path, None))
        elif name in ("fsync", "fdatasync"):
            add(Effect("", None))  # the power may go just before
            for i, effect in enumerate(effects):
                if (effect.path and str(Path(effect.path).parent) == path) or (
                    not effect.path and effect.inode == names.get(path)
                ):
                    synced[i] = min(synced[i], len(effects))
    return Trace(effects, synced, acknowledged)


def left(trace: Trace, end: int, rng: np.random.Generator | None, kept: float) -> dict[str, bytes | None]:
    """Files, and folders as None, that are there if the power goes after ``end`` effects.

    Of those that were not synced a share is kept, some of them in part; without ``rng`` all or none, as ``kept`` says.
    """
    names: dict[str, int] = {}
    contents: dict[int, bytearray] = {}
    for i, (path, inode, offset, data) in enumerate(trace.effects[:end]):
        torn = None
        if trace.synced[i] > end:
            if (rng.random() if rng else 0.5) >= kept:
                continue
            if rng and data and rng.random() < 0.3:
                torn = int(rng.integers(0, len(data) // SECTOR + 1)) * SECTOR
        if path:
            names.pop(path, None)
            if inode is not None:
                names[path] = inode
            continue
        if inode is None:
            continue
        file = contents.setdefault(inode, bytearray())
        if data is None:
            del file[offset:]
            continue
        written = data[:torn]
        file.extend(bytes(max(0, offset + len(written) - len(file))))
        file[offset : offset + len(written)] = written
    return {
        path: None if path.endswith(("/store", "/segments")) else bytes(contents.get(inode, b""))
        for path, inode in names.items()
        if all(
            str(above) in names for above in Path(path).parents if above.match("*/store") or above.match("*/segments")
        )
    }


def prove(n_random: int = 8) -> Counter[str]:
    """Open every state; return how many there were. AssertionError tells of the first bad one."""
    after, results = states(), Counter[str]()
    root = "/dev/shm" if Path("/dev/shm").is_dir() else None  # where a sync takes no time
    for sync in ("always", "os"):
        with tempfile.TemporaryDirectory(dir=root) as name:
            folder, seen = Path(name) / "store", set[int]()
            log = Path(name) / "log"
            status, told, errors = traced(folder, ["-y", "-xx", "-s", "9999999", "-e", f"trace={CALLS}"], log, sync)
            assert (status, told) == (0, b"." * N_STEPS + b"="), errors.decode()
            trace = parse(log, folder)
            results[f"sync={sync}: calls that changed the disk"] = len(trace.effects)
            for end in range(len(trace.effects) + 1):
                n = trace.acknowledged[end] if end < len(trace.effects) else N_STEPS
                shares: list[tuple[np.random.Generator | None, float]] = [(None, 0.0), (None, 1.0)]
                shares += [(np.random.default_rng([end, i]), (i + 1) / (n_random + 1)) for i in range(n_random)]
                for rng, kept in shares:
                    files = left(trace, end, rng, kept)
                    state = hash(tuple(files.items()))
                    if state in seen:
                        continue
                    seen.add(state)
                    shutil.rmtree(folder, ignore_errors=True)
                    for path, data in files.items():
                        if data is None:
                            Path(path).mkdir()
                        else:
                            Path(path).write_bytes(data)
                    where = f"sync={sync}, {n} steps acknowledged, call {end}, {kept:.0%} of what was not synced"
                    try:
                        with HashIndex.open(folder, 64) as index:
                            index.check()
                            found = content(index)
                    except (OSError, ValueError) as error:
                        raise AssertionError(f"{where}: {error}") from error
                    assert found in after[n if sync == "always" else 0 : n + 2], f"{where}: {len(found)} codes"
                    results[f"sync={sync}: states"] += 1
    return results


def main() -> None:
    """Tell how many states there are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=8)
    begin = time.perf_counter()
    for what, n in prove(parser.parse_args().random).items():
        print(f"{n:6,}  {what}")
    print(f"{time.perf_counter() - begin:6,.0f}  seconds; every state opened to what was acknowledged")


if __name__ == "__main__":
    main()
