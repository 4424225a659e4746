"""The command ``hashindex build``."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from ..index import HashIndex
from ..store.folder import SEGMENTS, is_free
from ..store.manifest import NAME as MANIFEST
from ..store.manifest import UNFINISHED
from ..store.writer_lock import WriterLock
from ..support.files import new_beside, sync_folder
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
    """Make the store, tell how many codes it holds, and return 0; ValueError, OSError leave nothing behind."""
    folder: Path = options.output
    if str(folder) == "-":
        raise ValueError("-o -: a store is a folder, which standard output is not; -o FOLDER makes one")
    _check_free(folder)
    hashes = hash_files.read(options, None)
    if not len(hashes.codes):
        raise ValueError("there are no codes to make a store of")
    _check_free(folder)
    place = Path(os.path.realpath(folder))
    is_there = place.is_dir()
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place / f"{UNFINISHED}.{os.urandom(8).hex()}" if is_there else new_beside(place)
    try:
        with HashIndex.open(new, hashes.n_bits) as index:
            n = add_hashes(index, hashes, options)
        if is_there:
            _move_into(place, new, folder)
        else:
            _check_free(folder)
            new.replace(place)
    except OSError as error:
        if error.errno is None or not str(error.filename).startswith(str(new)):
            raise
        raise type(error)(error.errno, error.strerror, str(folder)) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    print(f"{folder}: {n} codes of {hashes.n_bits} bits")
    return 0


def _move_into(place: Path, new: Path, folder: Path) -> None:
    """Make a folder that is there the store: itself, where a disk may be mounted or others own what is above it."""
    lock = WriterLock(place)
    try:
        _check_free(folder)
        try:
            for name in (SEGMENTS, MANIFEST):  # which makes it a store, comes last
                (new / name).replace(place / name)
        except BaseException:
            if not (place / MANIFEST).exists():
                shutil.rmtree(place / SEGMENTS, ignore_errors=True)
            raise
        sync_folder(place)
    finally:
        lock.release()


def _check_free(folder: Path) -> None:
    if is_store(folder):
        raise ValueError(f"{folder}: holds a store already; hashindex add adds to it")
    if folder.exists() and not (folder.is_dir() and is_free(folder)):
        raise ValueError(f"{folder}: is not empty; name a folder that is not there")
