"""Load and search files that were damaged at random: `python tests/store/mutate.py --number 100000`.

Each mutation has a number, which is its seed. It is loaded in three ways: verified, mapped, and mapped with every array
copied to the heap, where AddressSanitizer sees what is read beyond its end (``--core`` takes a `_core` that was built
with it). Then it is searched and added to. A mutation may be refused with a ValueError, or give an index. Anything else
is a failure: another error, a crash, more than ten seconds; or, where no checksum was made to fit, an index that is not
the one that was saved.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

BATCH = 2000  # mutations of one process
SECONDS = 10  # for one
BLOCK, HEADER = 2**20, 64
HERE = Path(__file__).parent

EXTREMES = (0, 1, -1, 2, 63, 64, 65, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64, 10**40)
OTHERS: tuple[Any, ...] = (None, True, 1.5, "", "a", "<u4", "|u1", "<i8", "|O", [], [[]], {}, {"a": 1}, float("nan"))


def sealed(data: bytearray) -> bytearray:
    """Make the checksums of all blocks, the table and the header fit, as far as they can be found."""
    (at,) = struct.unpack_from("<Q", data, 24)
    if not HEADER <= at <= len(data):
        return sealed_header(data)
    try:
        offset = json.loads(data[at:])["sections"][-1]["offset"]
        if not HEADER <= offset <= at:
            raise ValueError
        blocks = [data[begin : min(begin + BLOCK, offset)] for begin in range(HEADER, offset, BLOCK)]
        data[offset:at] = struct.pack(f"<{len(blocks)}I", *map(zlib.crc32, blocks))
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    struct.pack_into("<QQI", data, 16, len(data), at, zlib.crc32(data[at:]))
    return sealed_header(data)


def sealed_header(data: bytearray) -> bytearray:
    struct.pack_into("<I", data, 60, zlib.crc32(data[:60]))
    return data


def truncated(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(len(data))]


def flipped(data: bytearray, rng: random.Random) -> bytearray:
    """Up to eight bits, half of them in header and table."""
    at = struct.unpack_from("<Q", data, 24)[0]
    for _ in range(rng.randint(1, 8)):
        where = rng.choice((rng.randrange(HEADER), rng.randrange(at, len(data)), *(rng.randrange(len(data)),) * 2))
        data[where] ^= 1 << rng.randrange(8)
    return data


def overwritten(data: bytearray, rng: random.Random) -> bytearray:
    """Runs of random bytes, or of one."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        n = min(rng.choice((1, 8, 64, 4096)), len(data) - at)
        data[at : at + n] = rng.randbytes(n) if rng.random() < 0.5 else bytes([rng.choice((0, 255, 128))]) * n
    return data


def forged_data(data: bytearray, rng: random.Random) -> bytearray:
    """Numbers of some section replaced, every checksum made to fit."""
    (at,) = struct.unpack_from("<Q", data, 24)
    sections = [one for one in json.loads(data[at:])["sections"][:-1] if one["size"]]
    for section in rng.sample(sections, min(len(sections), rng.randint(1, 3))):
        itemsize = int(section["dtype"][-1])
        for _ in range(rng.choice((1, 10, 1000))):
            where = section["offset"] + itemsize * rng.randrange(section["size"] // itemsize)
            value = rng.choice(EXTREMES) if rng.random() < 0.5 else rng.getrandbits(64)
            data[where : where + itemsize] = (value % 2 ** (8 * itemsize)).to_bytes(itemsize, "little")
    return sealed(data)


def forged_header(data: bytearray, rng: random.Random) -> bytearray:
    """A field of the header."""
    form, where = rng.choice((("<I", 8), ("<I", 12), ("<Q", 16), ("<Q", 24), ("<I", 32), ("<Q", 40)))
    value = rng.choice((*EXTREMES, len(data), len(data) + 1, rng.randrange(len(data)), rng.getrandbits(64)))
    struct.pack_into(form, data, where, value % 2 ** (8 * struct.calcsize(form)))
    return sealed_header(data)


def forged_table(data: bytearray, rng: random.Random) -> bytearray:
    """Up to three values anywhere in the table, and its checksum made to fit."""
    (at,) = struct.unpack_from("<Q", data, 24)
    table = json.loads(data[at:])
    for _ in range(rng.randint(1, 3)):
        holder: Any = table
        key = rng.choice(list(table))
        while isinstance(holder[key], (dict, list)) and holder[key] and rng.random() < 0.9:
            holder = holder[key]
            key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
        old = holder[key]
        if rng.random() < 0.1:
            del holder[key]
            if not table:
                break
        elif type(old) is int and rng.random() < 0.5:
            holder[key] = old + rng.choice((-1, 1, -8, 8, 64, old))
        elif isinstance(old, list) and rng.random() < 0.5:
            rng.shuffle(old)
        else:
            holder[key] = deepcopy(rng.choice((*EXTREMES, *OTHERS)))
    data[at:] = json.dumps(table).encode()
    return sealed(data)


def retold(data: bytearray, rng: random.Random) -> bytearray:
    """Sections under each other's names, or read as another dtype; every size fits."""
    (at,) = struct.unpack_from("<Q", data, 24)
    table = json.loads(data[at:])
    if len(table["sections"]) == 1:
        return forged_table(data, rng)
    one, other = rng.choice(table["sections"][:-1]), rng.choice(table["sections"][:-1])
    one["name"], other["name"] = other["name"], one["name"]
    if rng.random() < 0.5:
        one["dtype"] = rng.choice(("|u1", "<u2", "<u4", "<u8", "|i1", "<i4", "<i8", "<f4", "<f8"))
        one["shape"] = [one["size"] // int(one["dtype"][-1])]
    data[at:] = json.dumps(table).encode()
    return sealed(data)


HONEST: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (truncated, flipped, overwritten)
FORGED = (forged_data, forged_data, forged_header, forged_table, forged_table, retold)


def main() -> None:
    """Run all mutations in processes of their own, and tell what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number to begin with")
    parser.add_argument("--core", help="a _core to load instead of the one installed")
    parser.add_argument("--here", action="store_true", help="in this process")
    options = parser.parse_args()
    end = options.first + options.number
    if options.here:
        run(range(options.first, end), options.core)
        return
    starts = range(options.first, end, BATCH)
    each = [["--first", str(start), "--number", str(min(BATCH, end - start)), "--here"] for start in starts]
    command = [sys.executable, __file__, *(["--core", options.core] if options.core else [])]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        done = list(
            threads.map(lambda one: subprocess.run([*command, *one], capture_output=True, text=True, check=False), each)
        )
    total: Counter[str] = Counter()
    for result, one in zip(done, each, strict=True):
        if result.returncode:
            print(
                f"failed: {' '.join(one)}: status {result.returncode}\n{result.stdout[-80:]}\n{result.stderr[-3000:]}"
            )
            total["failed processes"] += 1
        else:
            total += Counter(json.loads(result.stdout.splitlines()[-1]))
    print(f"{options.number:,} mutations: " + ", ".join(f"{what}: {n:,}" for what, n in sorted(total.items())))
    raise SystemExit(1 if total["failed processes"] else 0)


def run(numbers: range, core: str | None) -> None:
    """Load and search the mutations of these numbers."""
    if core:
        spec = importlib.util.spec_from_file_location("hashindex._core", core)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["hashindex._core"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    sys.path.insert(0, str(HERE.parent / "helpers"))
    import numpy as np

    from hashindex import HashIndex
    from hashindex.store import index_file
    from hashindex.store.container import Container, read_container
    from saved import some_index

    files = [(HERE.parent / "formats" / "1.hxi").read_bytes(), HashIndex(30, meta={"a": 1}).to_bytes()]
    files += [some_index(np.random.default_rng(7), n_bits, 2400).to_bytes() for n_bits in (64, 100)]
    indexes = [HashIndex.from_bytes(data)._snapshot.all_codes() for data in files]
    told: Counter[str] = Counter()

    def on_the_heap(path: Path) -> HashIndex:
        mapped = read_container(path, "hxi", mmap=True)
        arrays = {name: array.copy() for name, array in mapped.arrays.items()}
        copy = Container(mapped.name, mapped.kind, mapped.head, arrays, mapped.data, mapped.checksums)
        snapshot, meta = index_file.restored(copy, everything=False)
        index = HashIndex(snapshot.n_bits, meta=meta)
        index._start(snapshot)
        return index

    def used(index: HashIndex, rng: random.Random) -> None:
        if index.code_size is None:
            return
        n_bits = index.n_bits or 0
        queries = np.packbits(np.frombuffer(rng.randbytes(3 * n_bits), np.uint8).reshape(3, -1) & 1, axis=1)
        if len(index):
            queries[0] = index._snapshot.parts[0].codes[0]
        queries[0, -1] &= 0xFF << (-n_bits % 8) & 0xFF
        kinds: tuple[tuple[Any, Any], ...] = ((5, None), (60, 9), (None, 3), (None, n_bits // 6))
        for k, radius in rng.sample(kinds, 2):
            method: Any = rng.choice(("multi-index", "clusters", "folds", "scan"))
            index.search(queries, k, radius=radius, method=method, n_threads=1)
        if rng.random() < 0.2:
            index._snapshot.all_codes()
            index.add(queries)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.hxi"
        loads: dict[str, Callable[[], HashIndex]] = {
            "verified": lambda: HashIndex.load(path),
            "mapped": lambda: HashIndex.load(path, mmap=True),
            "on the heap": lambda: on_the_heap(path),
        }
        for number in numbers:
            signal.alarm(SECONDS)
            rng = random.Random(number)
            which = rng.randrange(len(files))
            change = rng.choice(HONEST + FORGED)
            data = bytes(change(bytearray(files[which]), rng))
            path.write_bytes(data)
            for how, load in loads.items():
                print(f"\rmutation {number}, {change.__name__}, {how}", end="", flush=True)
                try:
                    index = load()
                    if change in HONEST and how == "verified":
                        codes, ids = index._snapshot.all_codes()
                        same = np.array_equal(codes, indexes[which][0]) and np.array_equal(ids, indexes[which][1])
                        assert same, "damaged, and not refused"
                    told[f"{how}: loaded"] += 1
                    used(index, rng)
                except ValueError:
                    told[f"{how}: refused"] += 1
            path.unlink()
        signal.alarm(0)
    print("\n" + json.dumps(told))


if __name__ == "__main__":
    main()
