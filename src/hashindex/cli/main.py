"""The ``hashindex`` command. Heavy imports wait until a subcommand needs them."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from .. import __version__, engines
from ..inputs.numbers import MAX_BITS, n_threads
from ..support import machine
from . import check_lists as lists_command
from . import eval as eval_command
from . import reproduce as reproduce_command

_PIPE_CLOSED = 141  # what a shell says of programs that SIGPIPE ended
DEMO_NEEDS = ("torch", "sklearn", "faiss", "matplotlib", "jinja2", "tqdm")


class CommandError(Exception):
    """Something the user can mend, told in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 well, 1 a wrong answer was found, 2 it could not be done."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        status = _RUN[options.command](options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at the end
        return _PIPE_CLOSED
    except (CommandError, ImportError, ValueError) as error:
        print(f"hashindex {options.command}: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hashindex", description="Exact Hamming search over packed binary codes, and training of such codes."
    )
    parser.add_argument("--version", action="version", version=f"hashindex {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="train HashNet on real images, search its codes, check against faiss, write a report",
        description="Train HashNet on images of two handwritten digits, search the codes it makes with every engine, "
        "compare every answer with faiss, measure the speed of both, and write all of it into one HTML page. "
        "Takes 30 to 60 s on 2 cores and downloads nothing. "
        "Exit status: 0 all answers equal, 1 an answer differed, 2 the demo could not run.",
    )
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="the page to write (default: %(default)s)",
    )
    demo.add_argument(
        "--n-bits", type=int, default=32, metavar="N", help="bits of a code, at least 4 (default: %(default)s)"
    )
    demo.add_argument(
        "--seed", type=int, default=0, metavar="N", help="fixes data, training and pictures (default: %(default)s)"
    )
    demo.add_argument(
        "--threads",
        type=int,
        default=None,
        metavar="N",
        help="threads of every search, faiss's included (default: HASHINDEX_NUM_THREADS, else all CPUs)",
    )
    eval_command.add_parser(commands)
    reproduce_command.add_parser(commands)
    lists_command.add_parser(commands)
    commands.add_parser(
        "info",
        help="show the engine in use and what is installed",
        description="Show the version, the engine and ISA that searches use here, the number of threads, and the "
        "versions of what is installed.",
    )
    return parser


def _demo(options: argparse.Namespace) -> int:
    """Check everything that could fail before the work starts, then do it."""
    missing = [name for name in DEMO_NEEDS if find_spec(name) is None]
    if missing:
        raise CommandError(f"{', '.join(missing)} not installed; pip install 'hashindex[demo]'")
    if not 4 <= options.n_bits <= MAX_BITS:
        raise CommandError(f"--n-bits must be between 4 and {MAX_BITS}, got {options.n_bits}")
    if options.seed < 0:
        raise CommandError(f"--seed must be at least 0, got {options.seed}")
    threads = n_threads(options.threads)
    _check_writable(options.output)

    from .. import demo
    from ..demo.page import page as report
    from ..demo.summary import summary, table

    result = demo.run(options.n_bits, options.seed, threads, progress=True, say=lambda line: print(line, flush=True))
    try:
        report.write(result, options.output)
    except OSError as error:
        raise CommandError(f"cannot write the report: {error}") from None
    print(f"\n{table(summary(result))}\n")
    print(f"{result.seconds:.0f} s; open {options.output.resolve().as_uri()}")
    return 0 if result.all_equal else 1


def _check_writable(path: Path) -> None:
    folder = path.resolve().parent
    if path.is_dir():
        raise CommandError(f"--output {path} is a folder; name a file")
    if not folder.is_dir():
        raise CommandError(f"--output {path}: the folder {folder} does not exist")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise CommandError(f"--output {path} cannot be written")


def _info(_: argparse.Namespace) -> int:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine = engines.load()
    rows = {
        "engine": engine.description,
        "engines here": ", ".join(engines.available()),
        "threads": str(n_threads()),
        **machine.describe(),
    }
    if "native" in engines.available():
        from ..engines.native.engine import available_isas

        rows["ISAs of this CPU"] = ", ".join(available_isas())
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")
    for warning in caught:
        print(f"note: {warning.message}")
    return 0


_RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "info": _info,
    eval_command.NAME: eval_command.run,
    reproduce_command.NAME: reproduce_command.run,
    lists_command.NAME: lists_command.run,
}
