"""The ``hashindex`` command: its subcommands put together. Each is a file of this room, with NAME, add_parser and run.

Heavy imports wait until a subcommand needs them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from .. import __version__
from . import check_lists, demo, info, reproduce
from . import eval as eval_command

_PIPE_CLOSED = 141  # what a shell says of programs that SIGPIPE ended


class Command(Protocol):
    """What the file of a subcommand has."""

    NAME: str

    def add_parser(self, commands: Any) -> None:
        """Add the subcommand to what ``ArgumentParser.add_subparsers`` returned."""

    def run(self, options: argparse.Namespace) -> int:
        """Run the subcommand and return its exit status; ValueError and ImportError are what the user can mend."""


COMMANDS: tuple[Command, ...] = (demo, eval_command, reproduce, check_lists, info)  # in the order of the help


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 well, 1 a wrong answer was found, 2 it could not be done."""
    options = _parser().parse_args(arguments)
    run = {command.NAME: command.run for command in COMMANDS}[options.command]
    try:
        status = run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at the end
        return _PIPE_CLOSED
    except (ImportError, ValueError) as error:
        print(f"hashindex {options.command}: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hashindex", description="Exact Hamming search over packed binary codes, and training of such codes."
    )
    parser.add_argument("--version", action="version", version=f"hashindex {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser
