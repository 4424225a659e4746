"""The command ``hashindex completion``."""

from __future__ import annotations

import argparse
from typing import Any

from ..support.lazy import needed

NAME = "completion"
SHELLS = ("bash", "zsh", "tcsh")


def add_parser(commands: Any) -> None:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` returned."""
    parser: argparse.ArgumentParser = commands.add_parser(
        NAME,
        help="print what completes commands and options in a shell",
        description="Print a script that completes commands, options and files in a shell.",
        epilog='example: eval "$(hashindex completion bash)" in ~/.bashrc',
    )
    parser.add_argument("shell", choices=SHELLS)


def run(options: argparse.Namespace) -> int:
    """Print it and return 0; ImportError without shtab."""
    print(needed("shtab", "completion", "completion").complete(options.parser, options.shell))
    return 0
