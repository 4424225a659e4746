"""Searches beside writes, after fork, and without the GIL."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from forks import in_child
from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.index import METHODS, Method
from reference import codes_of


@pytest.mark.parametrize("method", METHODS[1:])
def test_searches_see_one_state_while_another_thread_writes(engine: Engine, method: Method) -> None:
    """Blocks of ten equal codes come and go: every search must see whole blocks."""
    code = codes_of(0, 1)
    index = HashIndex(64, engine=engine)
    index.add(np.repeat(code, 10, axis=0))
    index.search(code, radius=0, method=method, n_threads=2)
    done = threading.Event()
    seen: list[int] = []
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                hits = index.search(code, radius=0, method=method, n_threads=2)
                seen.append(len(hits.ids))
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(25):
            ids = index.add(np.repeat(code, 10, axis=0))
            index.remove(ids[:10])
            index.add(np.repeat(code, 10, axis=0))
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not failures
    assert seen
    assert all(n % 10 == 0 for n in seen)
    assert len(index) == 260


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
def test_search_after_fork(engine: Engine) -> None:
    codes = codes_of(0, 40_000)
    index = HashIndex(64, engine=engine)
    index.add(codes)
    expected = index.search(codes[:200], k=3, n_threads=3)
    assert in_child(lambda: bool((index.search(codes[:200], k=3, n_threads=3).ids == expected.ids).all()))


@needs_fork
def test_a_child_forked_while_numba_compiles_may_compile() -> None:
    lock = pytest.importorskip("numba.core.compiler_lock").global_compiler_lock
    HashIndex(64, engine="numba")
    held, done = threading.Event(), threading.Event()

    def compile_for_a_while() -> None:
        with lock:
            held.set()
            done.wait(0.3)

    thread = threading.Thread(target=compile_for_a_while)
    thread.start()
    assert held.wait(10)
    assert in_child(lambda: bool(lock._lock.acquire(timeout=5)))
    done.set()
    thread.join()
    assert lock._lock.acquire(timeout=5)
    lock._lock.release()


@needs_fork
def test_a_child_forked_amid_a_write_may_write() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 20_000))

    def write() -> bool:
        ids = index.add(codes_of(1, 1)).tolist()
        return ids == [20_000] and len(index.search(codes_of(1, 1), radius=0, method="multi-index").ids) == 1

    with (
        index._writing.lock,
        index._snapshot.segments[0].learned.lock.lock,
    ):  # as if others were adding and building
        assert in_child(write)


def test_the_gil_is_released() -> None:
    native = pytest.importorskip("hashindex.engines.native")
    codes = codes_of(0, 1_000_000)
    index = HashIndex(64, engine=native.NativeEngine("scalar"))
    index.add(codes)
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            time.sleep(0.001)
            ticks += 1

    clock = threading.Thread(target=tick)
    clock.start()
    before = ticks
    index.search(codes_of(1, 256), k=1, n_threads=1)  # some tenths of a second in one call
    during = ticks - before
    done.set()
    clock.join()
    assert during >= 3


def test_a_process_may_end_while_daemon_threads_search() -> None:
    """Python before 3.14 unwinds a thread that then wants the GIL back, which must not become an abort."""
    pytest.importorskip("hashindex._core")
    code = """
import threading, time
import numpy as np
import hashindex as hx
index = hx.HashIndex(64)
index.add(np.arange(100_000, dtype=np.uint64))
queries = np.arange(500, dtype=np.uint64)

def search():
    while True:
        index.search(queries[:1], k=3)
        index.search(queries, radius=2, method="scan")

for _ in range(3):
    threading.Thread(target=search, daemon=True).start()
time.sleep(0.2)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
