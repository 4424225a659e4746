"""The command ``hashindex dedup``."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from ..connect.image_folder import ENDINGS, Found, find_duplicates
from ..connect.image_hashes import ALGORITHMS, Algorithm, algorithm
from ..inputs.numbers import check_radius, n_threads
from .checks import check_outputs, missing, write_output
from .stores import has_bars


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    sides = ", ".join(f"{one.name} {one.least_side}" for one in ALGORITHMS)
    parser.description = (
        "Find near-duplicates among the pictures below a folder: groups of those within a distance of one "
        "to keep, the one with the most pixels. Groups do not chain: all of one look like the one to keep. Text has a "
        "group a paragraph, the one to keep first. Nothing is deleted. Hashes are kept in the cache folder: another "
        "run hashes only what has changed. Pictures of fewer pixels a side than a hash looks at "
        f"({sides}) are compared by their bytes alone, and listed."
    )
    parser.epilog = (
        "example: hashindex dedup photos/ --page alike.html. Exit status: 0 done, whether there are any or not; "
        "2 it could not be done."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    names = [one.name for one in ALGORITHMS]
    usual = [f"{one.radius} of {one.name}'s {one.n_bits} bits" for one in ALGORITHMS]
    parser.add_argument("--hash", choices=names, help="how pictures are hashed (default: the first that is installed)")
    parser.add_argument(
        "-r",
        "--radius",
        type=int,
        metavar="R",
        help=f"distance of pictures that look alike (default: {', '.join(usual)})",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the groups to this file: lists of paths")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write a page with the pictures side by side")


def run(options: argparse.Namespace) -> int:
    """Find them, print them, and return 0.

    Raises
    ------
    ValueError, OSError
        The folder cannot be read, or a file not be written.
    ImportError
        What hashes pictures is not installed.
    """
    folder: Path = options.folder
    if not folder.is_dir():
        raise ValueError(f"{folder}: is no folder")
    outputs = {"--json": options.json, "--page": options.page}
    check_outputs(outputs)
    for option, path in outputs.items():
        if path is not None and Path(os.path.realpath(path)).suffix.lower() in ENDINGS:
            raise ValueError(f"{option} {path}: has the ending of a picture, in whose place it could be; name another")
    if absent := missing(["PIL", *(["jinja2"] if options.page else [])]):
        raise ValueError(f"dedup needs {absent}: pip install 'hashindex[images]'")
    from ..connect.duplicates_page import render

    how = algorithm(options.hash)
    radius = how.radius if options.radius is None else check_radius(options.radius)
    found = find_duplicates(folder, how, radius, n_processes=n_threads(), progress=has_bars())
    if options.json is not None:
        told = {
            "folder": str(folder),
            "hash": how.name,
            "radius": radius,
            "pictures": found.n_pictures,
            "hashed_now": found.n_hashed,
            "groups": [[str(folder / one.path) for one in (group.kept, *group.others)] for group in found.groups],
            "unreadable": {str(folder / path): why for path, why in found.unreadable.items()},
            "too_small": {str(folder / one.path): list(one.hashed[1:3]) for one in found.small},
        }
        write_output("--json", options.json, json.dumps(told, indent=1) + "\n")
    if options.page is not None:
        write_output("--page", options.page, render(found, folder, how, radius))
    print(_listing(found, folder, how, radius), end="")
    return 0


def _listing(found: Found, folder: Path, how: Algorithm, radius: int) -> str:
    lines = []
    for group in found.groups:
        lines += [str(folder / one.path) for one in (group.kept, *group.others)] + [""]
    lines += [f"cannot be read: {folder / path}: {why}" for path, why in found.unreadable.items()]
    lines += [
        f"too small: {folder / one.path}: {one.hashed.width} x {one.hashed.height} pixels, {how.name} needs "
        f"{how.least_side} a side"
        for one in found.small
    ]
    n_others = sum(len(group.others) for group in found.groups)
    lines.append(
        f"{found.n_pictures} pictures by {how.name}, {found.n_hashed} hashed now; groups within distance "
        f"{radius}: {len(found.groups)}; pictures beside those to keep: {n_others}"
        + (f"; {found.n_plain} too plain to be compared but by their bytes" if found.n_plain else "")
        + (f"; {len(found.small)} too small" if found.small else "")
    )
    return "\n".join(lines) + "\n"
