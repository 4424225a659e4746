"""The command ``hashindex eval``."""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluate.calibrate import Wanted, check_wanted
from ..evaluate.comparison import compare, comparison_listing
from ..evaluate.evaluation import LIST_SIZES, evaluate_judged
from ..evaluate.health import code_health
from ..evaluate.histograms import judge
from ..evaluate.listing import listing
from ..evaluate.result import Run, to_json
from ..evaluate.run_files import FILES, IMAGES, RunFiles, Z, find_methods, is_run, read_array, run_folder
from ..inputs.codes import as_codes
from ..inputs.numbers import check_at_least, check_n_bits, check_radius
from .checks import check_outputs, missing, write_output

RECALL = 0.9  # wanted of a radius where nothing else is
PAGE_NEEDS = ("jinja2", "matplotlib", "sklearn")


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Measure how well packed binary codes retrieve items of the same class: tie-aware MAP with its "
        "bounds, precision and recall by radius and by list size, and the health of the codes. Inputs are .npy files: "
        "codes packed uint8 (n, code_size), labels integers (n,) or multi-hot 0/1 (n, classes). Several runs, as of "
        "several seeds, give means with 95 % confidence intervals. "
        "Exit status: 0 done, 1 done but the codes look collapsed, 2 the files could not be used."
    )
    parser.add_argument(
        "runs",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help=f"a folder per run with {', '.join(name + '.npy' for name in FILES)}, instead of the next four options; "
        f"or one folder with METHOD/RUN/ below it, to compare methods. With {Z}.npy, the real values (n, n_bits) that "
        "the database's codes are the signs of, their saturation is told",
    )
    for name in FILES:
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help=f"{name.replace('_', ' ')}; again for each further run, or once for all",
        )
    parser.add_argument("--n-bits", type=int, metavar="N", help="bits of a code (default: all of its bytes)")
    parser.add_argument("--at", type=int, metavar="N", help="places that the MAP looks at (default: all)")
    parser.add_argument(
        "--radius", type=int, default=2, metavar="R", help="of P@H<=R, inclusive (default: %(default)s)"
    )
    parser.add_argument(
        "--recall",
        type=float,
        metavar="X",
        help=f"choose the least radius with this recall (default: {RECALL}, unless --candidates is given)",
    )
    parser.add_argument(
        "--candidates", type=float, metavar="N", help="choose the largest radius with at most N items per query"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write a page with listings, curves, maps and, where the first run has "
        f"{' and '.join(name + '.npy' for name in IMAGES)}, retrieved images",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number to this file too")


def run(options: argparse.Namespace) -> int:
    """Measure, print the listing, and return 0, or 1 if an alarm was raised.

    Raises
    ------
    ValueError
        An option or a file, named, cannot be used.
    """
    radius = check_radius(options.radius)
    at = None if options.at is None else min(check_at_least(options.at, "--at", 1), sys.maxsize)
    either = options.recall is not None or options.candidates is not None
    wanted = check_wanted(Wanted(options.recall if either else RECALL, options.candidates))
    files = _methods(options)
    paths = [path for runs in files.values() for run in runs for path in run.paths]
    check_outputs({"--json": options.json, "--output": options.output}, paths)
    if options.output is not None and (absent := missing(PAGE_NEEDS)):
        raise ValueError(f"--output needs {absent}: pip install 'hashindex[demo]'")
    try:
        runs = {name: tuple(_measure(one, options.n_bits, at) for one in each) for name, each in files.items()}
    except TypeError as error:  # a dtype, of a named file
        raise ValueError(error) from None
    comparison = compare(runs, radius, wanted)
    result = comparison.results[comparison.first]
    several = len(comparison.results) > 1
    numbers = page = ""
    if options.json is not None:
        numbers = to_json(comparison if several else result) + "\n"
    if options.output is not None:
        from ..evaluate.page.page import render

        first_runs = {name: each[0] for name, each in files.items()}
        page = render(comparison, first_runs)
    write_output("--json", options.json, numbers)  # when both are made
    write_output("--output", options.output, page)
    print(comparison_listing(comparison) if several else listing(result))
    return int(comparison.has_alarm)


def _methods(options: argparse.Namespace) -> dict[str, list[RunFiles]]:
    """Return the runs of each method: METHOD/RUN or METHOD below a folder, or all that were given as of one."""
    folders: list[Path] = options.runs
    if len(folders) == 1 and folders[0].is_dir() and not is_run(folders[0]):
        found = find_methods(folders[0])
        if not found:
            raise ValueError(
                f"{folders[0]}: neither {FILES[0]}.npy and the other files of a run lie in it, nor folders METHOD/RUN/ "
                "with such files"
            )
        return found
    return {"codes": _runs(options)}


def _measure(files: RunFiles, n_bits: int | None, at: int | None) -> Run:
    query_codes, database_codes, query_labels, database_labels = map(read_array, files.paths)
    names = (str(files.paths[0]), str(files.paths[1]), str(files.paths[2]), str(files.paths[3]))
    n_bits = as_codes(query_codes, None, names[0]).n_bits if n_bits is None else check_n_bits(n_bits)
    judged = judge(query_codes, database_codes, query_labels, database_labels, n_bits, names)
    if len(judged.queries) == 0 or len(judged.database) == 0:
        raise ValueError(f"{names[len(judged.queries) > 0]}: holds no code")
    path = files.beside(Z)
    z = read_array(path) if path.exists() else None
    try:
        health = code_health(judged.database, n_bits=n_bits, labels=database_labels, z=z)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None  # the codes and labels were checked
    return Run(files.name, _digest(query_labels, database_labels), evaluate_judged(judged, at, LIST_SIZES), health)


def _digest(*labels: NDArray[Any]) -> str:
    """Return what tells labels from others, whatever integers they are kept as."""
    digest = hashlib.sha256()
    for each in labels:
        digest.update(f"{each.shape}".encode())
        digest.update(np.asarray(each, np.int64).tobytes())
    return digest.hexdigest()[:16]


def _runs(options: argparse.Namespace) -> list[RunFiles]:
    given: list[list[Path]] = [getattr(options, name) for name in FILES]
    if options.runs:
        if any(given):
            raise ValueError("give either folders or the four options with files, not both")
        return [run_folder(folder) for folder in options.runs]
    absent = [f"--{name.replace('_', '-')}" for name, paths in zip(FILES, given, strict=True) if not paths]
    if absent:
        raise ValueError(f"{', '.join(absent)} missing; or give a folder per run")
    n_runs = max(map(len, given))
    for name, paths in zip(FILES, given, strict=True):
        if len(paths) not in (1, n_runs):
            raise ValueError(f"--{name.replace('_', '-')} must be given once or {n_runs} times, got {len(paths)}")
    queries, database, query_labels, database_labels = (paths * (n_runs // len(paths)) for paths in given)
    chosen = zip(queries, database, query_labels, database_labels, strict=True)
    return [RunFiles(f"run {i}" if n_runs > 1 else "codes", paths) for i, paths in enumerate(chosen, start=1)]
