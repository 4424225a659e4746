"""Names of files as text, whatever bytes they have, and numbers: as they are read, printed, and read again."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import IO

STDIN = "-"
ENCODING, ERRORS = "utf-8-sig", "backslashreplace"  # a byte that is no UTF-8 is written as \\xe9


def standard_input() -> IO[str]:
    """Standard input as text, lines ended in any way; ValueError where it is closed."""
    if sys.stdin is None:
        raise ValueError("standard input is closed")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding=ENCODING, errors=ERRORS, newline=None)
    return sys.stdin


def readable(name: str) -> str:
    """A name that Python was given by the system, as :func:`standard_input` would read it."""
    return os.fsencode(name).decode("utf-8", ERRORS)


def whole_number(text: str) -> int:
    """An integer of plain digits; ValueError for anything else that Python would read, as 1_0."""
    if not (text.isascii() and text.lstrip("+-").isdigit()):
        raise ValueError
    return int(text)
