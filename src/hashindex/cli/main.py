"""The ``hashindex`` command: its subcommands put together. Each is a file of this room, with NAME, add_parser and run.

Heavy imports wait until a subcommand needs them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any, Protocol

from .. import __version__
from . import (
    add,
    build,
    check,
    check_lists,
    completion,
    convert,
    dedup,
    demo,
    doctor,
    encode,
    info,
    remove,
    reproduce,
    search,
    train,
)
from . import eval as eval_command
from .advice import as_told

MENDABLE = (ImportError, ValueError, OSError, KeyError)
_PIPE_CLOSED = 141  # what a shell says of programs that SIGPIPE ended


class Command(Protocol):
    """What the file of a subcommand has."""

    NAME: str

    def add_parser(self, commands: Any) -> None:
        """Add the subcommand to what ``ArgumentParser.add_subparsers`` returned."""

    def run(self, options: argparse.Namespace) -> int:
        """Run the subcommand and return its exit status; what it raises of ``MENDABLE`` is told to the user."""


COMMANDS: tuple[Command, ...] = (  # in the order of the help
    build,
    add,
    search,
    remove,
    check,
    convert,
    dedup,
    info,
    doctor,
    demo,
    train,
    encode,
    eval_command,
    reproduce,
    check_lists,
    completion,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 well, 1 its answer is no (wrong, none, damaged), 2 it failed."""
    options = _parsed(_parser(), arguments)
    run = {command.NAME: command.run for command in COMMANDS}[options.command]
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files as they are, whatever bytes they have
    try:
        status = run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at the end
        return _PIPE_CLOSED
    except MENDABLE as error:
        print(f"hashindex {options.command}: {as_told(error)}", file=sys.stderr)
        return 2


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; files named behind one are more of those named before, which argparse alone would refuse."""
    options, more = parser.parse_known_args(arguments)
    rest: str = getattr(options, "rest", "")
    if more and (not rest or any(one.startswith("-") and one != "-" for one in more)):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    if more:
        setattr(options, rest, [*getattr(options, rest), *more])
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hashindex", description="Exact Hamming search over packed binary codes, and training of such codes."
    )
    parser.add_argument("--version", action="version", version=f"hashindex {__version__}")
    parser.set_defaults(parser=parser)  # which completion looks at
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser
