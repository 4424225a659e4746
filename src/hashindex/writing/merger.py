"""The thread that merges segments while others search and write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

NAME = "hashindex: merging"
LOOK = 0.05  # seconds between two looks at whether the thread still lives


class Merger:
    """A thread that takes one ``step`` after the other as long as each returns True; and what came of it.

    It begins where there is something to merge and ends where there is not: nothing waits that would have to be
    stopped. A process that ends waits for the step under way.
    """

    __slots__ = ("_done", "_hurry", "_thread", "failure", "given_up")

    def __init__(self, step: Callable[[Merger], bool]) -> None:
        self.failure: BaseException | None = None  # of a step, to be told by the next change
        self.given_up = False  # what is under way is not wanted any more
        self._done, self._hurry = Event(), Event()
        self._thread = Thread(target=self._run, args=(step,), name=NAME)

    def start(self) -> None:
        """Begin; RuntimeError if there are no more threads to be had."""
        self._thread.start()

    @property
    def goes_on(self) -> bool:
        """Whether it takes steps. Not in a forked child, where the thread is not."""
        return not self._done.is_set() and self._thread.is_alive()

    def pause(self) -> None:
        """Let it go on for a while."""
        self._done.wait(LOOK)

    def rest(self, seconds: float) -> None:
        """For a step: let others change the index for a while, unless somebody is in a hurry."""
        end = monotonic() + seconds
        while monotonic() < end and not self.stops():
            if self._hurry.wait(LOOK):
                self._hurry.clear()
                break

    def hurry(self) -> None:
        """Do not rest now."""
        self._hurry.set()

    def wait(self) -> None:
        """Until there is nothing more to merge; Ctrl-C may end that."""
        while self.goes_on:
            self.hurry()
            self.pause()

    def stops(self) -> bool:
        """Whether to leave it at that: nobody wants it, or the process ends."""
        ends = not any(one.is_alive() and not one.daemon and one.name != NAME for one in threading.enumerate())
        return self.given_up or ends

    def _run(self, step: Callable[[Merger], bool]) -> None:
        try:
            while step(self):
                pass
        except BaseException as error:
            self.failure = error.with_traceback(None)  # whose frames would hold the index, as would its causes'
            error.__context__ = error.__cause__ = None
        finally:
            self._done.set()
