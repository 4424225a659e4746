"""The command ``hashindex eval``."""

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..files import replacing
from ..inputs import as_codes, check_k, check_n_bits, check_radius
from .comparison import compare, comparison_table
from .evaluation import LIST_SIZES, evaluate_judged
from .health import code_health
from .histograms import judge
from .result import Run, to_json
from .table import table

NAME = "eval"
FILES = ("query_codes", "database_codes", "query_labels", "database_labels")
FIRST = "HashNet"  # of several methods, where there is one of this name; else the first by name
PAGE_NEEDS = ("jinja2", "matplotlib", "sklearn")


class _Files(NamedTuple):
    """The files of one run."""

    name: str
    paths: tuple[Path, Path, Path, Path]  # in the order of FILES


def add_parser(commands: Any) -> None:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` returned."""
    parser: argparse.ArgumentParser = commands.add_parser(
        NAME,
        help="measure how well codes retrieve: MAP, precision, recall, code health",
        description="Measure how well packed binary codes retrieve items of the same class: tie-aware MAP with its "
        "bounds, precision and recall by radius and by list size, and the health of the codes. Inputs are .npy files: "
        "codes packed uint8 (n, code_size), labels integers (n,) or multi-hot 0/1 (n, classes). Several runs, as of "
        "several seeds, give means with 95 % confidence intervals. "
        "Exit status: 0 done, 1 done but the codes look collapsed, 2 the files could not be used.",
    )
    parser.add_argument(
        "runs",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help=f"a folder per run with {', '.join(name + '.npy' for name in FILES)}, instead of the next four options; "
        "or one folder with METHOD/RUN/ below it, to compare methods",
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
        "--output",
        type=Path,
        metavar="FILE",
        help="write a page with tables, curves, maps and, where a run has query_images.npy and database_images.npy, "
        "retrieved images",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number to this file too")


def run(options: argparse.Namespace) -> int:
    """Measure, print the table, and return 0, or 1 if an alarm was raised.

    Raises
    ------
    ValueError
        An option or a file, named, cannot be used.
    """
    radius = check_radius(options.radius)
    at = None if options.at is None else check_k(options.at)
    for name, path in (("--json", options.json), ("--output", options.output)):
        if path is not None and (path.is_dir() or not path.resolve().parent.is_dir()):
            raise ValueError(f"{name} {path}: not a file in a folder that exists")
    if options.json is not None and options.output is not None and options.json.resolve() == options.output.resolve():
        raise ValueError(f"--json and --output are the same file, {options.json}")
    if options.output is not None:
        missing = [name for name in PAGE_NEEDS if find_spec(name) is None]
        if missing:
            raise ValueError(f"--output needs {', '.join(missing)}: pip install 'hashindex[demo]'")
    files = _methods(options)
    try:
        runs = {name: tuple(_measure(one, options.n_bits, at) for one in each) for name, each in files.items()}
    except TypeError as error:  # a dtype, of a named file
        raise ValueError(error) from None
    comparison = compare(runs, radius)
    result = comparison.results[comparison.first]
    several = len(comparison.results) > 1
    texts = []
    if options.json is not None:
        texts.append(("--json", options.json, to_json(comparison if several else result) + "\n"))
    if options.output is not None:
        from ..report.evaluation import render

        first_runs = {name: each[0].paths for name, each in files.items()}
        texts.append(("--output", options.output, render(comparison, first_runs)))
    for text in texts:  # when all of them are made
        _write(*text)
    print(comparison_table(comparison) if several else table(result))
    return int(comparison.has_alarm)


def _write(option: str, path: Path, text: str) -> None:
    try:
        with replacing(path) as new:
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"cannot write {option}: {error}") from None


def _methods(options: argparse.Namespace) -> dict[str, list[_Files]]:
    """Return the runs of each method: METHOD/RUN or METHOD below a folder, or all that were given as of one."""
    folders: list[Path] = options.runs
    if len(folders) == 1 and folders[0].is_dir() and not (folders[0] / f"{FILES[0]}.npy").exists():
        methods = sorted(each for each in folders[0].iterdir() if each.is_dir())
        methods.sort(key=lambda each: each.name != FIRST)  # the others follow by name
        found = {method.name: _runs_of(method) for method in methods}
        found = {name: each for name, each in found.items() if each}
        if found:
            return found
    return {"codes": _runs(options)}


def _runs_of(method: Path) -> list[_Files]:
    if (method / f"{FILES[0]}.npy").exists():
        return [_folder(method, "0")]
    return [_folder(run, run.name) for run in sorted(method.iterdir()) if run.is_dir()]


def _measure(files: _Files, n_bits: int | None, at: int | None) -> Run:
    query_codes, database_codes, query_labels, database_labels = map(_load, files.paths)
    names = (str(files.paths[0]), str(files.paths[1]), str(files.paths[2]), str(files.paths[3]))
    n_bits = as_codes(query_codes, None, names[0]).n_bits if n_bits is None else check_n_bits(n_bits)
    judged = judge(query_codes, database_codes, query_labels, database_labels, n_bits, names)
    if len(judged.queries) == 0 or len(judged.database) == 0:
        raise ValueError(f"{names[len(judged.queries) > 0]}: holds no code")
    health = code_health(judged.database, n_bits=n_bits, labels=database_labels)
    return Run(files.name, evaluate_judged(judged, at, LIST_SIZES), health)


def _load(path: Path) -> NDArray[Any]:
    """Map the file into memory: nothing is read before it is needed."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: is not a .npy file of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: is an .npz archive; save each array with numpy.save")
    return array


def _runs(options: argparse.Namespace) -> list[_Files]:
    given: list[list[Path]] = [getattr(options, name) for name in FILES]
    if options.runs:
        if any(given):
            raise ValueError("give either folders or the four options with files, not both")
        return [_folder(folder) for folder in options.runs]
    missing = [f"--{name.replace('_', '-')}" for name, paths in zip(FILES, given, strict=True) if not paths]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing; or give a folder per run")
    n_runs = max(map(len, given))
    for name, paths in zip(FILES, given, strict=True):
        if len(paths) not in (1, n_runs):
            raise ValueError(f"--{name.replace('_', '-')} must be given once or {n_runs} times, got {len(paths)}")
    queries, database, query_labels, database_labels = (paths * (n_runs // len(paths)) for paths in given)
    chosen = zip(queries, database, query_labels, database_labels, strict=True)
    return [_Files(f"run {i}" if n_runs > 1 else "codes", paths) for i, paths in enumerate(chosen, start=1)]


def _folder(folder: Path, name: str | None = None) -> _Files:
    if not folder.is_dir():
        raise ValueError(f"{folder}: is not a folder")
    query_codes, database_codes, query_labels, database_labels = (folder / f"{name}.npy" for name in FILES)
    return _Files(name or str(folder), (query_codes, database_codes, query_labels, database_labels))
