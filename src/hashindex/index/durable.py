"""An index that lives in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from .. import engines
from ..engines import Engine
from ..inputs.meta import check_meta
from ..inputs.numbers import check_n_bits
from ..inputs.paths import as_path
from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer
from ..store.change import NOTHING
from ..store.checking import check_snapshot, check_store
from ..store.durable import Mode, Store, Sync
from ..support.locks import n_forks
from ..support.progress import Progress, reporting
from ..writing.compacting import compacted
from .closed import Closed
from .publishing import Publishing

Index = TypeVar("Index", bound="Durable")


class Durable(Publishing):
    """Opening, refreshing, closing, and changes that are one."""

    @classmethod
    def open(
        cls: type[Index],
        directory: str | Path,
        n_bits: int | None = None,
        *,
        mode: Mode = "w",
        sync: Sync = "always",
        meta: dict[str, Any] | None = None,
        engine: str | Engine | None = None,
    ) -> Index:
        """Open an index that lives in a folder: every change is on the disk when its call returns.

        One process writes, any number read, each a state of its own until it calls :meth:`refresh`.

        Parameters
        ----------
        directory : str or Path
            Made if it is not there, and ``mode`` is ``"w"``; not so the folder that it is in.
        n_bits : int, optional
            Bits of a code. Default: those of the store, or of the first codes added to a new one.
        mode : {"w", "r"}
            ``"w"`` reads and writes, and keeps what is there; ``"r"`` only reads.
        sync : {"always", "os"}
            ``"always"`` waits until a change would survive a power failure; with ``"os"`` a power failure may take
            the last changes, but never the store.
        meta : dict, optional
            A JSON object that is kept with a new store, such as the name and version of the encoder. That of a store
            that is there must be the same.
        engine : str or Engine, optional
            As for `HashIndex`.

        Raises
        ------
        FileNotFoundError
            There is no store to read, or no folder to make one in; a file of it is gone.
        BlockingIOError
            Another process has it open for writing; the message says which.
        OSError
            The folder cannot be read, or not written.
        ValueError
            The folder holds something else, codes of another width or other ``meta``, a newer format, or is damaged.
        """
        if mode not in ("w", "r"):
            raise ValueError(f"mode must be 'w' or 'r', got {mode!r}")
        if sync not in ("always", "os"):
            raise ValueError(f"sync must be 'always' or 'os', got {sync!r}")
        index = cls(engine=engine)
        checked = None if n_bits is None else check_n_bits(n_bits)
        folder = as_path(directory, "directory").absolute()  # where it is, wherever the process goes
        index._live_in(Store(folder, checked, mode, sync, None if meta is None else check_meta(meta)))
        return index

    def close(self) -> None:
        """Let go of the store; only :meth:`open` can follow. Of another index, forget the codes.

        Raises RuntimeError in a batch.
        """
        if self._writing.is_held and not self._in_batch:
            raise RuntimeError("this thread is changing the index: close it afterwards")
        while True:
            with self._writing.lock:
                if self._in_batch:
                    raise RuntimeError("a batch is open: leave its block before closing")
                if self._merging is None or not self._merging.goes_on:
                    what_next = "make another, or load one that was saved"
                    try:
                        if self._store is not None:
                            what_next = "HashIndex.open() opens the store again"
                            self._store.close()
                    finally:  # also where Ctrl-C ends it: what has begun to close can only be closed
                        self._snapshot = cast(Snapshot, Closed(what_next))
                    return
            self._give_up_merging()

    def __enter__(self: Index) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def refresh(self) -> bool:
        """Take what the writer has committed since; return whether there was anything.

        Only what is new is read. Of a writer, and of an index that is no store, nothing is.

        Raises OSError, ValueError as :meth:`open`; the index is then as before.
        """
        with self._writing.lock:
            self._check_open()
            before = self._snapshot
            if self._store is not None and self._store.mode == "r":
                self._snapshot = self._store.refresh()
            return self._snapshot is not before

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make one change of all in a ``with`` block: on the disk together, and much faster.

        Searches here see the changes at once, other processes when the block ends. Other threads that would change
        the index wait until then. An exception takes all of them back.

        Raises
        ------
        OSError
            The store could not be written; the index is as it was before the block.
        RuntimeError
            In a batch.
        """
        self._before_change()
        with self._writing.lock:
            if self._in_batch:
                raise RuntimeError("a batch is open already: a batch is one change")
            self._check_open()
            before, store = self._snapshot, self._store
            try:
                self._batch = n_forks()
                if store is not None:
                    store.begin_batch()
                yield
                if store is not None:
                    store.end_batch()
            except BaseException:
                if store is not None:
                    store.abandon_batch()
                if store is None or not store.holds(self._snapshot):
                    # Searches may still look at rows behind those of before: they stay in their own buffer.
                    tail = TailBuffer(before.tail_codes.copy(), before.tail_ids.copy())
                    self._snapshot = before.with_tail(tail, before.n_tail, before.next_id)
                    if store is not None:
                        store.restart(self._snapshot)
                raise
            finally:
                self._batch = None
                self._merge_soon()

    def compact(self, *, progress: Progress = False) -> None:
        """Make one segment of everything, without what was removed.

        A store then also keeps what searches, or :meth:`prepare`, have built, so that it is there when the store is
        opened.

        Parameters
        ----------
        progress
            As for :meth:`components`: of the codes that are copied.

        Raises
        ------
        OSError
            As :meth:`batch`.
        ImportError
            ``progress=True`` without tqdm.
        """
        self._before_change()
        with self._writing.lock, reporting(progress, len(self), "compact") as tell:
            before, new = self._snapshot, compacted(self._snapshot, tell)
            with nullcontext(new) if self._store is None else self._store.with_news(new) as new:
                self._publish(before, new, NOTHING)

    def check(self, *, progress: Progress = False) -> None:
        """Look at everything: every invariant, and in a store every byte of every file.

        Parameters
        ----------
        progress
            As for :meth:`components`: of the codes, each of which is looked at once in memory and twice in a store.

        Raises
        ------
        ValueError
            Something is wrong; the message says what and where.
        OSError
            A file is gone or cannot be read.
        RuntimeError
            A batch is open.
        ImportError
            ``progress=True`` without tqdm.
        """
        with self._writing.lock:
            if self._in_batch:
                raise RuntimeError("a batch is open: leave its block before checking")
            n_codes, store = len(self), self._store
            with reporting(progress, n_codes if store is None else 3 * n_codes, "check") as tell:
                check_snapshot(self._snapshot, tell)
                if store is not None:
                    check_store(store, self._snapshot, lambda done: tell(n_codes + done))

    def _live_in(self, store: Store) -> None:
        self._start(store.view.snapshot)
        self._store = store
        self._meta = store.meta

    def __getstate__(self) -> dict[str, Any]:
        if self._store is None:
            return super().__getstate__()
        return {"engine": self._engine.name if self._asked else None, "directory": str(self._store.folder)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "directory" not in state:
            super().__setstate__(state)
            return
        asked = state["engine"]
        self._asked = asked in engines.available()
        self._engine = engines.load(asked if self._asked else None)
        self._live_in(Store(Path(state["directory"]), None, "r", "always", None))
