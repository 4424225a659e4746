"""The ``hashindex`` command: its subcommands put together. Each is a file of this room, with ``describe`` and ``run``.

Only that of the subcommand in question is imported, and heavy packages wait until it needs them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Protocol, cast

from .advice import as_told
from .waiting import without_blas

COMMANDS = {  # what each does, in the order of the help
    "build": "make a store of codes in files",
    "add": "add codes in files to a store",
    "search": "search a store for codes in files",
    "remove": "remove codes from a store by id or key",
    "check": "look at every byte of a store or file for damage",
    "convert": "write the codes of a store or of files as another kind of file",
    "dedup": "find pictures of a folder that look alike",
    "info": "show the engine in use and what is installed, or what is in a store",
    "doctor": "tell what is slow on this machine, and why",
    "demo": "train HashNet on real images, search its codes, check against faiss, write a report",
    "train": "train HashNet on a folder of pictures, a folder for each class",
    "encode": "make codes of a folder of pictures with a trained model",
    "eval": "measure how well codes retrieve: MAP, precision, recall, code health",
    "reproduce": "train HashNet, its ablations and every baseline, and measure them",
    "check-lists": "check lists of images and labels for what makes measured numbers wrong",
    "completion": "print what completes commands and options in a shell",
}
OVER_STORES = ("build", "add", "search", "remove", "check", "convert", "info")
MENDABLE = (ImportError, ValueError, OSError, KeyError, ArithmeticError, MemoryError, RuntimeError)
_PIPE_CLOSED = 141  # what a shell says of programs that SIGPIPE ended


class Command(Protocol):
    """What the file of a subcommand has."""

    def describe(self, parser: argparse.ArgumentParser) -> None:
        """Say what the command does and takes."""

    def run(self, options: argparse.Namespace) -> int:
        """Run the subcommand and return its exit status; what it raises of ``MENDABLE`` is told to the user."""


class _Help(argparse.HelpFormatter):
    """As wide as the terminal; argparse itself asks by a module that takes longer to import than all its others."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
        except (AttributeError, ValueError, OSError):
            columns = 0
        super().__init__(prog, width=(columns if columns > 0 else 80) - 2)


class _Version(argparse.Action):
    """Prints the version, which takes longer to find than all the rest, only where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from .. import __version__

        print(f"hashindex {__version__}")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 well, 1 its answer is no (wrong, none, damaged), 2 it failed."""
    given = sys.argv[1:] if arguments is None else arguments
    chosen = next((one for one in given if not one.startswith("-")), "")
    if chosen in OVER_STORES:
        without_blas()
    options = _parsed(_parser_of(chosen), given)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed: the next file that is opened would be taken for it
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files as they are, whatever bytes they have
    try:
        status = command_of(options.command).run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at the end
        return _PIPE_CLOSED
    except MENDABLE as error:
        print(f"hashindex {options.command}: {as_told(error) or type(error).__name__}", file=sys.stderr)
        return 2
    except Exception:  # a fault of the command itself, which is no answer
        from traceback import print_exc  # which takes long to import

        print_exc()
        return 2


def command_of(name: str) -> Command:
    """The file of a subcommand, imported."""
    return cast(Command, import_module(f".{name.replace('-', '_')}", __package__))


def _parser_of(chosen: str) -> argparse.ArgumentParser:
    """What parses the chosen subcommand; without one their names, and with ``completion`` all of all."""
    parser = argparse.ArgumentParser(
        prog="hashindex",
        description="Exact Hamming search over packed binary codes, and training of such codes.",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    parser.set_defaults(parser=parser)  # which completion looks at
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    alone = chosen in COMMANDS and chosen != "completion"
    for name in [chosen] if alone else COMMANDS:
        one = commands.add_parser(name, help=COMMANDS[name], formatter_class=_Help)
        if chosen in (name, "completion"):
            command_of(name).describe(one)
    return parser


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """The options; files named behind one are more of those named before, which argparse alone would refuse."""
    options, more = parser.parse_known_args(arguments)
    rest: str = getattr(options, "rest", "")
    if more and (not rest or any(one.startswith("-") and one != "-" for one in more)):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    if more:
        setattr(options, rest, [*getattr(options, rest), *more])
    return options
