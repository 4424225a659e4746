"""Ctrl-C in calls that would not look for it: Python tells its main thread between two calls, not within one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread, current_thread, main_thread
from typing import TypeVar

Result = TypeVar("Result")
MANY = 2**22  # bytes; what NumPy does with fewer is over soon enough


def interruptible(work: Callable[[], Result], n_bytes: int) -> Result:
    """``work()``, which takes about as long as NumPy calls on ``n_bytes``; Ctrl-C need not wait until it is over.

    If long, it is done by another thread, which Ctrl-C leaves to finish what nobody will look at. So it must change
    nothing that others see.
    """
    if n_bytes < MANY or current_thread() is not main_thread():
        return work()
    results: list[Result] = []
    errors: list[BaseException] = []
    done = Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # raised again where it can be told
            errors.append(error)
        finally:
            done.set()

    thread = Thread(target=run, name="hashindex: interruptible")
    try:
        thread.start()
    except RuntimeError:  # no more threads to be had
        return work()
    done.wait()  # an interrupted join() would take the thread for dead
    if errors:
        raise errors[0]
    return results[0]
