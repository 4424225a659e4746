"""The store of an open index: each change is on the disk before anybody sees it. ``docs/store.md`` says how."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar
from weakref import finalize

from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..support.locks import ForkLock
from . import forking
from .change import Change
from .folder import segment_path, sweep
from .held import Held, let_go
from .manifest import Manifest
from .opening import checked_head, locked, look_at
from .recovery import view
from .segment_file import mapped_again, write_segment
from .sqlite import keep_open
from .transaction import Transaction, number_of, with_news

MAPPED_BYTES = 2**29  # of codes: a segment that is written ahead goes on as a map of its file
MOST_UNNAMED = 16  # files that wait, with sync="os", for one sync of the WAL
Mode = Literal["w", "r"]
Sync = Literal["always", "os"]
Result = TypeVar("Result")


class Store:
    """A folder that an index lives in. Raises OSError, ValueError as ``HashIndex.open``."""

    def __init__(self, folder: Path, n_bits: int | None, mode: Mode, sync: Sync, meta: Any) -> None:
        self.folder, self.mode, self._sync = folder, mode, sync
        self.in_batch = self._orphan = self._is_abandoning = False
        self._held = Held()
        self._finalizer = finalize(self, let_go, self._held)
        self._using = ForkLock(reentrant=True)  # the connection
        self._transaction: Transaction | None = None
        self._ahead: dict[int, Segment] = {}  # files that wait to be named, by number
        self._unnamed: list[Path] = []  # files to be removed once it is sure that nothing names them
        self._failure: str | None = None  # why nothing can be written any more
        self._batch_failure: str | None = None  # or nothing in this batch
        with forking.connecting[0]:
            try:
                self._open(n_bits, meta)
            except BaseException:
                self.close()
                raise

    def _open(self, n_bits: int | None, meta: Any) -> None:
        look_at(self.folder, self.mode)
        if self.mode == "w":
            self._held.lock = locked(self.folder, n_bits, meta)
        self.meta = checked_head(self.folder, self._manifest.head(), n_bits, meta)
        self.view = view(self._manifest)  # as committed
        self._built = {number: set(one.learned.states) for number, one in self.view.files.items()}
        if self.mode == "w":
            sweep(self.folder, self.view.files)
        self._next_segment = self.view.head.next_segment
        forking.stores.add(self)

    def holds(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is the one that was written last."""
        if self._transaction is None or self._is_half_done:
            return snapshot is self.view.snapshot
        return snapshot is self._transaction.latest

    def settle(self) -> None:
        """Take back what one Ctrl-C broke off and another left half done: before that ``holds`` may be wrong."""
        with self._using.lock:
            if self._is_half_done:
                self._abandon()

    def refresh(self) -> Snapshot:
        """Return what has been committed; for readers."""
        self.view = self.ask(lambda manifest: view(manifest, self.view))
        return self.view.snapshot

    def ask(self, question: Callable[[Manifest], Result]) -> Result:
        """Ask the database; one thread at a time."""
        with self._using.lock:
            return question(self._manifest)

    def check_writable(self) -> None:
        """OSError unless changes can be written."""
        if self.mode == "r":
            what = "the store is open for reading here: one process writes, after open(..., mode='w')"
            raise OSError(errno.EROFS, what, str(self.folder))
        failure = self._failure or self._batch_failure
        if failure is not None:
            raise OSError(errno.EIO, failure, str(self.folder))

    def write(self, old: Snapshot, new: Snapshot, change: Change) -> None:
        """Put a change from ``old`` to ``new`` on the disk, or, in a batch, into its transaction.

        Whatever is raised, ``holds(new)`` tells whether the change counts.
        """
        with self._using.lock:
            self.check_writable()
            try:
                if self._transaction is None:
                    self._manifest.begin()
                    self._transaction = Transaction.after(self.view, new)
                self._transaction.is_whole = False
                self._transaction.record(self._manifest, self.view, old, new, change)
                self._transaction.latest, self._transaction.is_whole = new, True
                if not self.in_batch:
                    self._commit(self._transaction)
            except BaseException:
                self._abandon()
                raise

    @contextmanager
    def written_ahead(self, segment: Segment) -> Iterator[Segment]:
        """Write a segment's file while others change the store; it is removed unless a change in the block names it.

        Yields what goes into the index: a large segment as a map of its file, which leaves memory to others.
        """
        with self._using.lock:
            number = self._numbered(segment)
            self._ahead[number] = segment
        path = segment_path(self.folder, number)
        try:
            write_segment(path, segment)
            if segment.codes.nbytes >= MAPPED_BYTES:
                segment = mapped_again(path, segment)
                with self._using.lock:
                    self._ahead[number] = segment
            yield segment
        finally:
            with self._using.lock:
                if self._ahead.pop(number, None) is not None:
                    path.unlink(missing_ok=True)

    @contextmanager
    def with_news(self, snapshot: Snapshot) -> Iterator[Snapshot]:
        """The same state, for which files are written of what is new or was built since; as :meth:`written_ahead`."""
        snapshot = with_news(snapshot, self.view.files, self._built)
        if self.in_batch or self.mode == "r":  # written when it ends, or told that it cannot be
            yield snapshot
            return
        with ExitStack() as files:
            segments = tuple(
                one if number_of(self.view.files, one) is not None else files.enter_context(self.written_ahead(one))
                for one in snapshot.segments
            )
            yield snapshot.with_others(segments)

    def begin_batch(self) -> None:
        """Let what follows be one transaction."""
        self.settle()
        self.check_writable()
        self.in_batch = True

    def end_batch(self) -> None:
        """Commit what was written since. Whatever is raised, ``holds`` tells whether it counts."""
        with self._using.lock:
            try:
                if self.in_batch:  # a child of a fork has none
                    self.settle()
                    self.check_writable()
                    if self._transaction is not None:
                        self._commit(self._transaction)
            except BaseException:
                self._abandon()
                raise
            finally:
                self.in_batch, self._batch_failure = False, None

    def abandon_batch(self) -> None:
        """Take back what was written since, unless it was committed before: ``holds`` tells."""
        with self._using.lock:
            self.in_batch, self._batch_failure = False, None
            self._abandon()

    def restart(self, snapshot: Snapshot) -> None:
        """Go on from another snapshot of the same state."""
        self.view = self.view._replace(snapshot=snapshot)

    def close(self) -> None:
        """Let go of everything; a writer leaves no WAL behind."""
        with self._using.lock, forking.connecting[0]:  # no fork while it is open and not known to be
            forking.stores.discard(self)
            if self._held.lock is not None and self._failure is None:
                self._remove_unnamed()
            let_go(self._held)  # what Ctrl-C breaks off here, another call ends
            self._finalizer.detach()

    @property
    def _manifest(self) -> Manifest:
        if self._orphan:
            raise OSError(
                errno.EBUSY, "forked in a batch, this process cannot read it: open it in another", str(self.folder)
            )
        if self._held.manifest is None:
            self._held.manifest = Manifest(self.folder, sync=self._sync if self.mode == "w" else None)
        return self._held.manifest

    def _commit(self, transaction: Transaction) -> None:
        """Write new segments, name them, and end the transaction."""
        before, new, files = self.view, transaction.latest, dict[int, Segment]()
        for segment in new.segments:
            number = number_of(before.files, segment)
            ahead = number_of(self._ahead, segment)
            if number is None and ahead is not None:
                number = ahead
                transaction.written.append(segment_path(self.folder, number))
                transaction.bury(self._manifest, number, self._ahead.pop(number), segment)
            elif number is None:
                number = self._numbered(segment)
                transaction.written.append(segment_path(self.folder, number))
                write_segment(transaction.written[-1], segment)
            files[number] = segment
        transaction.name(self._manifest, before, files, self._next_segment)
        self._manifest.commit()
        self._committed(transaction)

    def _numbered(self, segment: Segment) -> int:
        number, self._next_segment = self._next_segment, self._next_segment + 1
        self._built[number] = set(segment.learned.states)
        return number

    def _committed(self, transaction: Transaction) -> None:
        result = transaction.result
        assert result is not None
        gone = [number for number in self.view.files if number not in result.files]
        for number in gone:
            self._built.pop(number, None)
        unnamed = [*(segment_path(self.folder, number) for number in gone), *self._unnamed]
        self.view, self._transaction, self._unnamed = result, None, unnamed
        if self._sync == "always" or len(unnamed) >= MOST_UNNAMED:
            self._remove_unnamed()

    def _remove_unnamed(self) -> None:
        with suppress(OSError):  # what stays is swept at the next opening
            if self._unnamed and self._sync == "os":
                self._manifest.sync_wal()  # before what it replaces is gone
            for path in self._unnamed:
                path.unlink(missing_ok=True)
            self._unnamed = []

    @property
    def _is_half_done(self) -> bool:
        """Whether what is open must be taken back before anything else."""
        transaction = self._transaction
        return self._is_abandoning or (transaction is not None and not (self.in_batch and transaction.is_whole))

    def _abandon(self) -> None:
        """After an error: take back the transaction, unless it was committed before, by a Ctrl-C's breadth.

        It may be called again if another Ctrl-C ends it.
        """
        self._is_abandoning = True
        if self.in_batch:
            self._batch_failure = "a change in this batch failed, and so does the batch: leave its block"
        self._take_back()
        self._is_abandoning = False

    def _take_back(self) -> None:
        transaction = self._transaction
        try:
            self._manifest.rollback()
            if transaction is None:
                return
            if transaction.result is not None and self._manifest.head().change == transaction.number:
                self._committed(transaction)
                return
        except (OSError, ValueError) as error:
            self._failure = f"a change failed, and then taking it back ({error}): close the index and open it again"
        if transaction is None:
            return
        self._transaction = None
        if transaction.result is not None or self._failure is not None:  # the end was tried, and the disk may have it
            self._unnamed += transaction.written
            return
        with suppress(OSError):
            for path in transaction.written:
                path.unlink(missing_ok=True)

    def before_fork(self) -> None:
        """Keep other threads out of SQLite, and its locks, which a child would take for its own, out of the child."""
        self._using.lock.acquire()
        if self._transaction is None and self._held.manifest is not None:
            self._held.manifest.close()
            self._held.manifest = None

    def after_fork(self) -> None:
        """Let other threads go on."""
        self._using.lock.release()

    def become_reader(self) -> None:
        """In a child: the parent goes on writing."""
        if self._transaction is not None and self._held.manifest is not None:
            keep_open(self._held.manifest.connection)  # closing it would take back the parent's transaction
            self._orphan = True
        self._held.lock, self._held.manifest = None, None
        self.mode, self.in_batch, self._transaction, self._batch_failure = "r", False, None, None
        self._is_abandoning = False
        self._ahead = {}  # the parent's
