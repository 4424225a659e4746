"""The index that a command works on: a store's folder, or a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..index import HashIndex
from .checks import is_store, missing
from .hash_files import Hashes


def add_store(parser: argparse.ArgumentParser, what: str = "the folder of a store, as build makes them") -> None:
    """Add the argument STORE."""
    parser.add_argument("store", type=Path, metavar="STORE", help=what)


def add_keys(parser: argparse.ArgumentParser) -> None:
    """Add whether what stands beside a code is its key."""
    parser.add_argument(
        "--keys",
        action="store_true",
        help="what stands beside a code is its key, unique, by which remove finds it; else it is a payload, given back",
    )


def to_read(path: Path) -> HashIndex:
    """The index of a store or of a file, to be searched; ValueError if it is neither."""
    if is_store(path):
        return HashIndex.open(path, mode="r")
    if path.is_file():
        if path.suffix == ".faiss":
            from ..connect import faiss

            return faiss.read(path, mmap=True)
        return HashIndex.load(path, mmap=True)
    raise ValueError(f"{path}: is neither a store nor a file; hashindex build makes a store")


def to_write(path: Path) -> HashIndex:
    """The store of a folder, to be changed; ValueError if it holds none."""
    if not is_store(path):
        raise ValueError(f"{path}: holds no store; hashindex build makes one")
    return HashIndex.open(path)


def add_hashes(index: HashIndex, hashes: Hashes, options: argparse.Namespace) -> int:
    """Add codes with what stands beside them, all or none; return how many."""
    notes = [note or None for note in hashes.notes]
    beside: dict[str, Any] = {"keys" if options.keys else "payloads": notes} if any(notes) else {}
    return len(index.add(hashes.codes, progress=has_bars(), **beside))


def has_bars() -> bool:
    """Whether to draw bars: somebody looks at standard error, and tqdm is there."""
    return sys.stderr.isatty() and not missing(["tqdm"])
