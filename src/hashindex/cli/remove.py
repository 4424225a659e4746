"""The command ``hashindex remove``."""

from __future__ import annotations

import argparse
from typing import Literal

from .names import STDIN, readable, standard_input, whole_number
from .stores import add_store, to_write


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = "Remove codes from a store by their ids, or by their keys: all, or none where one is missing."
    parser.epilog = "example: hashindex remove store/ 17 23"
    add_store(parser)
    parser.add_argument("names", nargs="*", metavar="ID", help="ids; - or none: a line each of standard input")
    parser.set_defaults(rest="names")
    parser.add_argument("--keys", action="store_true", help="they are keys")
    parser.add_argument("--ignore-missing", action="store_true", help="leave out those that are not there")


def run(options: argparse.Namespace) -> int:
    """Remove them, tell how many the store now holds, and return 0."""
    names = [readable(name) for name in options.names]
    if names in ([], [STDIN]):
        names = [line.rstrip("\r\n") for line in standard_input() if line.strip()]
    with to_write(options.store) as index:
        missing: Literal["ignore", "raise"] = "ignore" if options.ignore_missing else "raise"
        if options.keys:
            n = index.remove(keys=names, missing=missing)
        else:
            n = index.remove([_id(name) for name in names], missing=missing)
        print(f"{options.store}: {n} codes removed, {len(index)} left")
    return 0


def _id(name: str) -> int:
    try:
        return whole_number(name)
    except ValueError:
        raise ValueError(f"{name!r} is no id; --keys removes by key") from None
