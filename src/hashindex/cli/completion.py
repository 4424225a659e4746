"""The command ``hashindex completion``."""

from __future__ import annotations

import argparse

from ..support.lazy import needed

SHELLS = ("bash", "zsh", "tcsh")


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = "Print a script that completes commands, options and files in a shell."
    parser.epilog = 'example: eval "$(hashindex completion bash)" in ~/.bashrc'
    parser.add_argument("shell", choices=SHELLS)


def run(options: argparse.Namespace) -> int:
    """Print it and return 0; ImportError without shtab."""
    print(needed("shtab", "completion", "completion").complete(options.parser, options.shell))
    return 0
