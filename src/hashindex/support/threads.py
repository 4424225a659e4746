"""How many threads a search may use."""

from __future__ import annotations

import os

from ..inputs.codes import check_n_threads

MAX_THREADS = 256  # more are taken as this many


def n_threads(asked: int | None = None) -> int:
    """The number asked for, else ``HASHINDEX_NUM_THREADS``, else the CPUs this process may run on.

    Raises
    ------
    TypeError, ValueError
        Not an integer of at least 1.
    """
    if asked is not None:
        return min(check_n_threads(asked), MAX_THREADS)
    text = os.environ.get("HASHINDEX_NUM_THREADS")
    if text:
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(f"HASHINDEX_NUM_THREADS must be an integer of at least 1, got {text!r}")
        return min(int(text), MAX_THREADS)
    return usable_cpus()


def usable_cpus() -> int:
    """CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
