"""The command ``hashindex check-lists``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..learn.data.check_lists import check_lists, summary
from ..learn.data.lists import read_list


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Check three lists in HashNet's format (path and labels, one image per line): queries inside the "
        "database, images without a label, duplicates, missing files, empty classes, order sorted by class, and the "
        "share of similar pairs with the weights it implies. "
        "Exit status: 0 no problem, 1 problems found, 2 the lists could not be read."
    )
    for name, what in (("train", "training images"), ("database", "images to search in"), ("query", "queries")):
        parser.add_argument(name, metavar=name.upper(), type=Path, help=f"list of {what}")
    parser.add_argument(
        "--root",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="folder or .zip file with the images (default: where each list lies)",
    )
    parser.add_argument(
        "--below",
        default=None,
        metavar="NAME",
        help="of each path keep only what follows the folder of this name, as in /somebody/data/NAME/images/1.jpg",
    )
    parser.add_argument(
        "--contents",
        action="store_true",
        help="compare images by their bytes, whatever their paths; reads every file",
    )


def run(options: argparse.Namespace) -> int:
    """Check, print what was found, and return 0, or 1 if there is a problem.

    Raises
    ------
    ValueError
        A list or the folder of images is missing, or a list is wrong.
    """
    try:
        lists = (
            read_list(path, options.root, below=options.below)
            for path in (options.train, options.database, options.query)
        )
        check = check_lists(*lists, contents=options.contents)
    except OSError as error:
        raise ValueError(error) from None
    print(summary(check))
    return 0 if check.ok else 1
