"""Forks: no lock of SQLite, and no thread in it, is carried into a child."""

from __future__ import annotations

import os
import signal
from _thread import interrupt_main
from threading import RLock, Timer, current_thread, main_thread
from typing import Any, Protocol
from weakref import WeakSet


class Forked(Protocol):
    """What is told of a fork."""

    def before_fork(self) -> None:
        """In the parent, before."""

    def after_fork(self) -> None:
        """In the parent."""

    def become_reader(self) -> None:
        """In the child."""


stores: WeakSet[Forked] = WeakSet()
connecting = [RLock()]  # held while a store is opened or closed, in which SQLite holds locks of its own
_forking: list[Forked] = []
_handlers: list[Any] = []  # of Ctrl-C, while it waits
_came: list[int] = []  # meanwhile
SOON = 0.05  # seconds until Ctrl-C is told: Python drops what is raised while it forks


def _before_fork() -> None:
    # Waiting for a lock may take as long as a segment is written, and Ctrl-C would end it half-way.
    if current_thread() is main_thread() and callable(handler := signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, lambda number, _: _came.append(number))
        _handlers.append(handler)
    connecting[0].acquire()
    while new := [store for store in stores if store not in _forking]:
        connecting[0].release()  # whose locks come before this one
        for store in new:
            store.before_fork()
            _forking.append(store)
        connecting[0].acquire()


def _after_fork_in_parent() -> None:
    connecting[0].release()
    for store in _forking:
        store.after_fork()
    _forking.clear()
    if _let_ctrl_c():
        Timer(SOON, interrupt_main).start()


def _after_fork_in_child() -> None:
    connecting[0] = RLock()
    for store in _forking:
        store.become_reader()
    _forking.clear()
    _let_ctrl_c()  # what came is for the parent


def _let_ctrl_c() -> bool:
    """Let Ctrl-C be told again; whether it came meanwhile."""
    if not _handlers or current_thread() is not main_thread():  # another thread's fork
        return False
    signal.signal(signal.SIGINT, _handlers.pop())
    came = bool(_came)
    _came.clear()
    return came


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
