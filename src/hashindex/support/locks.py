"""A lock that a forked child finds open, whoever held it in the parent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

_forks = [0]  # that this process came from, since the import


def n_forks() -> int:
    """How many forks lie between the process that imported this and this one."""
    return _forks[0]


class ForkLock:
    """Holds a lock of ``threading``, for ``with fork_lock.lock:``, in which Ctrl-C cannot come between.

    A thread that holds a lock does not exist in a child forked meanwhile and would never let it go there. What these
    locks guard is changed by one assignment at the end, so the child finds it as it was before.
    """

    __slots__ = ("_locks", "_make")

    def __init__(self, *, reentrant: bool = False) -> None:
        self._make: Callable[[], Any] = threading.RLock if reentrant else threading.Lock
        self._locks: dict[int, Any] = {_forks[0]: self._make()}  # by fork

    @property
    def lock(self) -> Any:
        """The ``threading.Lock`` (or RLock) of this process."""
        lock = self._locks.get(_forks[0])  # of threads that ask at once all get the first one's
        return self._locks.setdefault(_forks[0], self._make()) if lock is None else lock

    @property
    def is_held(self) -> bool:
        """Whether this thread holds it; of a reentrant one."""
        return bool(self.lock._is_owned())  # as threading.Condition asks


def _count_fork() -> None:
    _forks[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)
