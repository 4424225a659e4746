"""The command ``hashindex check``."""

from __future__ import annotations

import argparse
import sys

from .. import engines
from ..index import HashIndex
from ..store.format import ForeignFileError
from .advice import as_told
from .checks import is_store
from .stores import add_store, has_bars, to_read


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Verify every checksum and every invariant of a store, or of a file of an index; of one of faiss, which has no "
        "checksums, its sizes and ids."
    )
    parser.epilog = (
        "example: hashindex check store/. Exit status: 0 all is well, 1 it is damaged, 2 it could not be checked."
    )
    add_store(parser, "the folder of a store, or a file of an index")


def run(options: argparse.Namespace) -> int:
    """Look at it all, tell what was found, and return 0, or 1 if it is damaged; ValueError for what is none of ours."""
    if not is_store(options.store) and not options.store.is_file():
        raise ValueError(f"{options.store}: is neither a store nor a file")
    engines.load()  # an engine that is not there is no damage
    try:
        is_saved = not is_store(options.store) and options.store.suffix != ".faiss"
        index = HashIndex.load(options.store) if is_saved else to_read(options.store)  # a map is not verified
        index.check(progress=has_bars())
    except ForeignFileError:
        raise
    except (ValueError, FileNotFoundError) as error:  # a segment that is named and not there
        print(f"damaged: {as_told(error)}", file=sys.stderr)
        return 1
    print(f"{options.store}: all is well; {len(index)} codes of {index.n_bits} bits")
    return 0
