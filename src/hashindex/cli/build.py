"""The command ``hashindex build``."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from ..index import HashIndex
from ..support.files import new_beside
from . import hash_files
from .checks import is_store
from .stores import add_hashes, add_keys


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Make a store, an index that lives in a folder, of codes in files or from standard input. " + hash_files.HELP
    )
    parser.epilog = "example: hashindex build hashes.txt -o store/"
    hash_files.add_options(parser, "files of codes")
    parser.add_argument("-o", "--output", type=Path, metavar="STORE", required=True, help="the folder to make")
    add_keys(parser)


def run(options: argparse.Namespace) -> int:
    """Make the store, tell how many codes it holds, and return 0; ValueError leaves nothing behind."""
    folder: Path = options.output
    if str(folder) == "-":
        raise ValueError("-o -: a store is a folder, which standard output is not; -o FOLDER makes one")
    _check_free(folder)
    hashes = hash_files.read(options, None)
    if not len(hashes.codes):
        raise ValueError("there are no codes to make a store of")
    place = Path(os.path.realpath(folder))
    place.parent.mkdir(parents=True, exist_ok=True)
    new = new_beside(place)
    try:
        with HashIndex.open(new, hashes.n_bits) as index:
            n = add_hashes(index, hashes, options)
        _check_free(folder)
        new.replace(place)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    print(f"{folder}: {n} codes of {hashes.n_bits} bits")
    return 0


def _check_free(folder: Path) -> None:
    if is_store(folder):
        raise ValueError(f"{folder}: holds a store already; hashindex add adds to it")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder}: is not empty; name a folder that is not there")
