"""A lock that a forked child finds open, whoever held it in the parent."""

from __future__ import annotations

import os
import threading

_forks = [0]  # that this process came from, since the import


class ForkLock:
    """Holds a ``threading.Lock``, for ``with fork_lock.lock:``, in which Ctrl-C cannot come between.

    A thread that holds a lock does not exist in a child forked meanwhile and would never let it go there. What these
    locks guard is changed by one assignment at the end, so the child finds it as it was before.
    """

    __slots__ = ("_fork", "_lock")

    def __init__(self) -> None:
        self._fork, self._lock = _forks[0], threading.Lock()

    @property
    def lock(self) -> threading.Lock:
        """The lock of this process."""
        if self._fork != _forks[0]:
            self._fork, self._lock = _forks[0], threading.Lock()
        return self._lock


def _count_fork() -> None:
    _forks[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)
