"""Work in a forked child."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import warnings
from collections.abc import Callable


def forked(work: Callable[[], bool]) -> int:
    """The child that does the work: it ends with 0 if that returns True, with 1 if not, or if it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads and fork: the point here
        child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            status = 0 if work() else 1
        os._exit(status)
    return child


def succeeds(child: int) -> bool:
    """Whether a child ends with 0; one that hangs is killed."""
    for _ in range(300):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def in_child(work: Callable[[], bool]) -> bool:
    """What ``work`` returns in a forked child; False if the child fails or hangs."""
    return succeeds(forked(work))
