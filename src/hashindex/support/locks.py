"""A lock that a forked child finds open, whoever held it in the parent."""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakSet

_locks: WeakSet[ForkLock] = WeakSet()


class ForkLock:
    """Holds a lock of ``threading``, for ``with fork_lock.lock:``, in which Ctrl-C cannot come between.

    A thread that holds a lock does not exist in a child forked meanwhile and would never let it go there. What these
    locks guard is changed by one assignment at the end, so the child finds it as it was before.
    """

    lock: Any

    def __init__(self, *, reentrant: bool = False) -> None:
        self._reentrant = reentrant
        self.reset()
        _locks.add(self)

    def reset(self) -> None:
        """Start anew, open."""
        self.lock = threading.RLock() if self._reentrant else threading.Lock()


def _reset_all() -> None:
    for lock in list(_locks):
        lock.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
