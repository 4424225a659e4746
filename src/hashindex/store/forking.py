"""Forks: no lock of SQLite, and no thread in it, is carried into a child."""

from __future__ import annotations

import os
from threading import RLock
from typing import Protocol
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


def _before_fork() -> None:
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


def _after_fork_in_child() -> None:
    connecting[0] = RLock()
    for store in _forking:
        store.become_reader()
    _forking.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
