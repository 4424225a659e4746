"""Locks that a forked child finds open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from hashindex.support import locks


def test_threads_of_a_child_that_ask_at_once_get_one_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, both, make = locks.ForkLock(), threading.Barrier(2), threading.Lock
    before = lock.lock
    made: Callable[[], Any] = lambda: (both.wait(), make())[1]  # noqa: E731
    monkeypatch.setattr(lock, "_make", made)
    monkeypatch.setattr(locks, "_forks", [locks.n_forks() + 1])
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(lock.lock)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] is found[1] is lock.lock is not before
