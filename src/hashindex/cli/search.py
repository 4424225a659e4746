"""The command ``hashindex search``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ..index import HashIndex
from ..matches import NearestMatches, RadiusMatches, in_one_row
from . import hash_files, listing
from .checks import is_store
from .stores import add_store, to_read

NAMES = ("query", "distance", "id", "key", "payload")
MANY = 2**16  # queries at once
FEW = 2**10  # of those within a radius at first: how many hits they have is not known
HITS = 2**19  # at once, about


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Find all codes within a radius of each query, or the k nearest: exactly. A row for each hit: the "
        "query (what stands beside it, else its number from 1), the distance, the id, and the key and payload noted "
        "with the code, which text has in one column. " + hash_files.HELP
    )
    parser.epilog = (
        "example: hashindex search store/ --radius 31 < queries.txt. "
        "Exit status: 0 something was found, 1 nothing was, 2 it could not be done."
    )
    add_store(parser, "the folder of a store, or a file of an index")
    hash_files.add_options(parser, "files of queries")
    parser.add_argument("-r", "--radius", type=int, metavar="R", help="everything within this distance, inclusive")
    parser.add_argument("-k", type=int, metavar="K", help="the K nearest; with --radius those within it")
    listing.add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Search, write a row for each hit, and return 0, or 1 if there is none."""
    if options.radius is None and options.k is None:
        raise ValueError("give --radius R for everything within R, or -k K for the K nearest")
    to = listing.check(options, [options.store, *options.files])
    index = to_read(options.store)
    queries = hash_files.read(options, index.n_bits)
    rows = _rows(index, queries, options.radius, options.k, notes=is_store(options.store))
    if to == "text":
        rows = ((*row[:3], row[4] if row[3] is None else row[3]) for row in rows)
    return int(not listing.write(options.output, to, NAMES, rows))


def _rows(
    index: HashIndex, queries: hash_files.Hashes, radius: int | None, k: int | None, *, notes: bool
) -> Iterator[tuple[Any, ...]]:
    names: list[Any] = [note or i for i, note in enumerate(queries.notes, start=1)]
    begin, step = 0, min(FEW, _share(len(index))) if k is None else _share(min(max(k, 1), len(index)))
    while begin < len(queries.codes):
        some = queries.codes[begin : begin + step]
        matches: RadiusMatches | NearestMatches
        if k is None:
            matches = index.search(some, radius=radius or 0)
        else:
            matches = index.search(some, k=k) if radius is None else index.search(some, k=k, radius=radius)
        of, distances, ids = in_one_row(matches)
        noted = index._items(ids) if notes else [(None, None)] * len(ids)
        for i, distance, one, (key, payload) in zip(of.tolist(), distances.tolist(), ids.tolist(), noted, strict=True):
            yield names[begin + i], distance, one, key, payload
        begin += len(some)
        if k is None:
            step = min(_share(len(ids) / len(some)), 2 * len(some))  # what comes next may have more


def _share(n_hits: float) -> int:
    """How many queries to ask at once that have so many hits each."""
    return max(1, min(MANY, int(HITS / max(n_hits, 1))))
