"""Writers and readers in several processes, and their deaths."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import storing
from forks import forked, in_child, succeeds
from hashindex import HashIndex
from hashindex.store.segment_file import read_segment
from histories import content
from reference import codes_of


def started(folder: Path, n: int) -> subprocess.Popen[str]:
    command = [sys.executable, storing.__file__, str(folder), str(n)]
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})


def told(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_a_killed_writer_loses_nothing_and_another_goes_on(tmp_path: Path) -> None:
    """The whole story: 100,000 hashes with payloads, a kill half-way, readers meanwhile."""
    folder, n = tmp_path / "store", 100_000
    first = started(folder, n)
    acknowledged = told(first)
    while acknowledged < n // 2:
        acknowledged = told(first)
        if acknowledged == 20_000:
            with pytest.raises(BlockingIOError, match=rf"process {first.pid} has it open for writing"):
                HashIndex.open(folder)
    first.kill()
    rest = first.communicate()[0].split()
    acknowledged = int(rest[-1]) if rest else acknowledged
    hashes = storing.codes(n)
    with HashIndex.open(folder, mode="r") as reader:
        assert len(reader) in (acknowledged, acknowledged + storing.BATCH)
        second = started(folder, n)
        assert told(second) == len(reader)
        seen = len(reader)
        while seen < n:
            reader.refresh()
            assert len(reader) >= seen
            seen = len(reader)
            some = np.arange(0, seen, 997)
            near = reader.search(hashes[some], k=1)
            assert not near.distances.any()
            names = [payload["file"] for payload in reader.payloads(near.ids[:, 0])]
            assert names == [f"image {i}.jpg" for i in some]
            time.sleep(0.02)
        second.communicate()
        assert second.returncode == 0
        assert np.array_equal(reader.get(np.arange(n)), hashes)
        reader.check()
        assert reader.find(["image 0.jpg", "image 99999.jpg", "none"]).tolist() == [0, 99_999, -1]
    assert not (folder / "store.sqlite-wal").exists() or not (folder / "store.sqlite-wal").stat().st_size


def test_a_child_of_a_writer_becomes_a_reader(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    index = HashIndex.open(folder, 64)
    index.add(codes_of(0, 20_000), keys=[str(i) for i in range(20_000)])
    reading, writing = os.pipe()

    def child() -> bool:
        with pytest.raises(OSError, match="open for reading here"):
            index.add(codes_of(1, 1))
        with pytest.raises(BlockingIOError, match=f"process {os.getppid()} has it open"):
            HashIndex.open(folder)
        os.read(reading, 1)  # until the parent has written
        return index.refresh() and len(index) == 20_010 and index.find(["7"]).tolist() == [7]

    pid = forked(child)
    index.add(codes_of(1, 10))
    os.write(writing, b"x")
    assert succeeds(pid)
    index.remove([3])  # the parent goes on, and still has the lock
    with HashIndex.open(folder, mode="r") as reader:
        assert content(reader) == content(index)
    index.close()


def test_a_fork_in_a_batch_takes_nothing_from_the_parent(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 10))
        with index.batch():
            index.add(codes_of(1, 10))

            def child() -> bool:
                with pytest.raises(OSError, match="forked in a batch"):
                    index.refresh()
                return True

            assert in_child(child)
            index.add(codes_of(2, 10))
        assert len(index) == 30
        assert in_child(lambda: not index.refresh() and len(index) == 30)
    with HashIndex.open(tmp_path / "store") as index:
        assert len(index) == 30
        index.check()


def test_ctrl_c_while_a_fork_waits_is_told_after_it(tmp_path: Path) -> None:
    """The fork waits for another thread that writes; half of one would leave the child the parent's connection."""
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 10))
        store, held = index._store, threading.Event()
        assert store is not None

        def write() -> None:
            with store._using.lock:
                held.set()
                time.sleep(1)

        writer = threading.Thread(target=write)
        writer.start()
        held.wait()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        child = 0
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            child = forked(lambda: (store.mode, store._held.lock) == ("r", None) and len(index) == 10)
            time.sleep(5)
        assert succeeds(child)
        writer.join()
        adder = threading.Thread(target=index.add, args=(codes_of(1, 10),))  # another, which may not find it locked
        adder.start()
        adder.join(20)
        assert len(index) == 20
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs a user who may not write")
def test_read_only_media(tmp_path: Path) -> None:
    """After a clean close a folder that cannot be written can be read, and not opened for writing."""
    folder = tmp_path / "store"
    with HashIndex.open(folder, 64) as index:
        index.add(codes_of(0, 20_000), payloads=["x"] * 20_000)
    for path in (folder / "segments", folder):
        path.chmod(0o555)
    for path in tmp_path.resolve().parents:
        if path.stat().st_uid == os.getuid() and "pytest" in path.name:
            path.chmod(0o755)
    tmp_path.chmod(0o755)

    def child() -> bool:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        with pytest.raises(OSError, match="cannot be opened for writing .* mode='r' reads it"):
            HashIndex.open(folder)
        with HashIndex.open(folder, mode="r") as reader:
            reader.check()
            return len(reader) == 20_000 and reader.payloads([7]) == ["x"] and not reader.refresh()

    try:
        assert in_child(child)
    finally:
        for path in (folder, folder / "segments"):
            path.chmod(0o755)


def test_threads_search_and_look_up_while_one_writes(tmp_path: Path) -> None:
    """And processes are forked meanwhile."""
    index = HashIndex.open(tmp_path / "store", 64, sync="os")
    index.add(codes_of(0, 500), payloads=list(range(500)))
    done, failures = threading.Event(), list[BaseException]()

    def look() -> None:
        try:
            while not done.is_set():
                near = index.search(codes_of(0, 5), k=1)
                assert index.payloads(near.ids[:, 0]) == [0, 1, 2, 3, 4]
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for i in range(12):
            with index.batch():
                ids = index.add(codes_of(i + 1, 3000), payloads=[i] * 3000)
                index.remove(ids[::2])
            assert in_child(lambda: index.payloads([3]) == [3] and not index.refresh())
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not failures
    index.check()
    index.close()


def test_a_fork_beside_an_opening_store(tmp_path: Path) -> None:
    """SQLite holds locks of its own while it opens and closes: a child must not find them held for ever."""
    folder, done = tmp_path / "store", threading.Event()

    def go_on() -> None:
        while not done.is_set():
            HashIndex.open(folder, mode="r").close()

    with HashIndex.open(folder, 64, sync="os") as index:
        index.add(codes_of(0, 100))
        opener = threading.Thread(target=go_on)
        opener.start()
        try:
            assert all(in_child(lambda: not index.refresh() and len(index) == 100) for _ in range(60))
        finally:
            done.set()
            opener.join()


def test_a_child_has_no_batch_of_another_thread(tmp_path: Path) -> None:
    begun, done = threading.Event(), threading.Event()
    kept, plain = HashIndex.open(tmp_path / "store", 64), HashIndex(64)

    def hold() -> None:
        with kept.batch(), plain.batch():
            begun.set()
            done.wait()

    def child() -> bool:
        with plain.batch():
            plain.add(codes_of(0, 10))
        kept.close()
        return len(plain) == 10

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    try:
        assert in_child(child)
    finally:
        done.set()
        holder.join()
    kept.close()


def test_a_reader_checks_while_a_writer_replaces_what_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replaced(path: Path) -> Any:
        monkeypatch.undo()
        writer.add(codes_of(1, 10))
        writer.compact()
        assert not path.exists()
        return read_segment(path)

    with HashIndex.open(tmp_path / "store", 64) as writer:
        writer.add(codes_of(0, 100))
        writer.compact()
        with HashIndex.open(tmp_path / "store", mode="r") as reader:
            monkeypatch.setattr("hashindex.store.checking.read_segment", replaced)
            reader.check()
            for file in (tmp_path / "store" / "segments").iterdir():
                file.unlink()
            with pytest.raises(FileNotFoundError, match="hxs"):
                reader.check()
