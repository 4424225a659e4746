"""The command ``hashindex add``."""

from __future__ import annotations

import argparse

from . import hash_files
from .stores import add_hashes, add_keys, add_store, to_write


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Add codes in files, or from standard input, to a store: all of them, or none. " + hash_files.HELP
    )
    parser.epilog = "example: hashindex add store/ more.txt"
    add_store(parser)
    hash_files.add_options(parser, "files of codes")
    add_keys(parser)


def run(options: argparse.Namespace) -> int:
    """Add them, tell how many the store now holds, and return 0."""
    with to_write(options.store) as index:
        hashes = hash_files.read(options, index.n_bits)
        n = add_hashes(index, hashes, options) if len(hashes.codes) else 0  # none would set a width for good
        print(f"{options.store}: {n} codes added, {len(index)} in all")
    return 0
