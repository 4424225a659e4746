"""What the library advises in terms of Python, in terms of commands."""

from __future__ import annotations

import re

_WORDS = (
    (r"from_hex\(texts, \d+, align='left'\)", "--align left"),
    (r"align='right'", "--align right"),
    (r"from_hex\(texts\)", "--kind hex"),
    (r"pack\(\) makes such codes, n_bits=", "--n-bits "),
    (r"give the index n_bits=", "give --n-bits "),
    (r"\bk=(\d+) gives", r"-k \1 gives"),
    (r"close it there, or read with mode='r'", "wait until it has ended; search, info and convert read meanwhile"),
    (r"mode='r' reads it", "search, info and convert read it"),
    (r"give size= to resize all", "give --size N to bring all to N pixels a side"),
    (r"pass HashNet\(backbone=\.\.\.\) for others", "give --size N, at least 4"),
)


def as_told(error: Exception) -> str:
    """The message of an error, to be read by whoever gave a command."""
    text = str(error.args[0]) if isinstance(error, KeyError) else str(error)
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    for python, words in _WORDS:
        text = re.sub(python, words, text)
    return text
