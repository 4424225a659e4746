"""How a change becomes visible, and the merging that follows in the background."""

from __future__ import annotations

from contextlib import nullcontext, suppress

from ..search.plan import Plan
from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..store.change import NOTHING, Change
from ..store.durable import Store
from ..writing.merger import Merger
from ..writing.merging import MOST_SEGMENTS, due, in_place_of, is_scattered, merged
from .state import State

IDLE = 0.2  # seconds without a change, after which all may be made one segment


class Publishing(State):
    """One change at a time, and merges between them."""

    def _publish(self, before: Snapshot, snapshot: Snapshot, change: Change | None) -> None:
        """Let searches see what a change made of ``before``; in a store, where it is told, once it is on the disk.

        For whoever holds the lock of ``_writing``.

        Raises
        ------
        OSError
            It could not be put on the disk; the index is as before.
        RuntimeError
            What the change was given has changed the index while it was read.
        """
        self._check_still(before)
        if self._store is None or change is None:
            self._snapshot = snapshot
        elif not self._is_stored(self._store):  # Ctrl-C came between disk and memory
            self._snapshot = self._store.view.snapshot
            raise InterruptedError("the change before was interrupted; the index is now as on the disk: call again")
        elif snapshot is not before:
            try:
                self._store.write(before, snapshot, change)
            finally:
                if self._store.holds(snapshot):
                    self._snapshot = snapshot
        if snapshot.segments is not before.segments:
            self._merge_soon()

    def _check_still(self, before: Snapshot) -> None:
        """RuntimeError if what a change was given has changed the index while it was read.

        Asked before codes are put behind the tail, too: it would put them where the other change has put its own.
        """
        if self._snapshot is not before:
            raise RuntimeError("the index was changed by what this call was given to read; nothing else was changed")

    def _is_stored(self, store: Store) -> bool:
        """Whether a store has what is in memory; it has not where Ctrl-C left a batch before it could end."""
        if store.in_batch and not self._in_batch:
            store.abandon_batch()
        store.settle()
        return store.holds(self._snapshot)

    def _is_settled(self) -> bool:
        """Whether memory has what the disk has; else the next change tells, and nobody before."""
        return self._store is None or self._is_stored(self._store)

    def _before_change(self) -> None:
        """Tell of a failed merge, and let merges catch up with who adds; before the lock of ``_writing`` is taken.

        Raises
        ------
        OSError, RuntimeError
            A merge failed since the last change. It is tried again after the next one.
        """
        merging = self._merging
        if merging is None or self._in_batch or self._writing.is_held:  # for whose end a merge waits
            return
        failure = merging.failure
        if failure is None:
            while merging.goes_on and len(self._snapshot.segments) > MOST_SEGMENTS:
                merging.pause()
            return
        with self._writing.lock:
            if self._merging is merging:  # else another thread was told too
                self._merging = None
        what = "merging segments in the background failed; nothing was lost, and this call changed nothing: call again"
        if isinstance(failure, OSError):
            raise OSError(failure.errno, f"{what} ({failure.strerror or failure})", failure.filename) from failure
        raise RuntimeError(f"{what} ({type(failure).__name__}: {failure})") from failure

    def _merge_soon(self, *, all_due: bool = False) -> None:
        """Begin to merge what is due; for whoever holds the lock of ``_writing``, or a search if all is."""
        with self._beginning.lock:
            merging = self._merging
            if self._in_batch or (merging is not None and (merging.goes_on or merging.failure is not None)):
                if merging is not None and due(self._snapshot.segments):
                    merging.hurry()
                return
            if self._store is not None and self._store.mode == "r":  # in a child of the process that writes
                return
            if all_due or due(self._snapshot.segments) or self._may_become_one():
                self._all_due = all_due
                self._merging = Merger(self._merge)  # known before it begins, whatever comes between
                with suppress(RuntimeError):  # no more threads to be had, or the process ends
                    self._merging.start()

    def _merge_all_soon(self, plan: Plan) -> None:
        """Begin to make one segment of all: searches have paid for it, and nothing was added meanwhile.

        Not of a mapped file: others share its pages.
        """
        plan.paid = False  # until it is thought over
        if self._store is not None or not any(part.segment.is_mapped for part in plan.parts):
            self._merge_soon(all_due=True)

    def _merge(self, merging: Merger) -> bool:
        """Merge what is due, if anything is, without keeping others from searching or changing meanwhile."""
        with self._writing.lock:
            if self._merging is not merging:
                return False
            before, goes_on = self._snapshot, self._is_settled() and not merging.stops()
            parts = self._parts_due() if goes_on else ()
            if not parts and not (goes_on and self._may_become_one()):
                self._merging = None
                return False
        if not parts:
            merging.rest(IDLE)
            self._all_due = self._snapshot is before
            return True
        segment = merged(parts, self._engine, merging.stops)
        ahead = nullcontext(segment) if self._store is None else self._store.written_ahead(segment)
        with ahead as segment, self._writing.lock:
            before = self._snapshot
            new = in_place_of(parts, segment, before) if self._is_settled() and not merging.stops() else None
            if new is not None:
                self._publish(before, new, NOTHING)
        return True

    def _may_become_one(self) -> bool:
        """Whether all is to be made one segment as soon as nobody changes the index."""
        if not is_scattered(self._snapshot):
            return False
        return self._store is not None or not any(one.is_mapped for one in self._snapshot.segments)

    def _parts_due(self) -> tuple[Segment, ...]:
        """What is to be merged next; for whoever holds the lock of ``_writing``."""
        if self._all_due:
            self._all_due = False
            self._publish(self._snapshot, self._snapshot.settled(), NOTHING)
            every = self._snapshot.segments
            return every if len(every) > 1 or is_scattered(self._snapshot) else ()
        return due(self._snapshot.segments)

    def _wait_for_merges(self) -> None:
        merging = self._merging
        if merging is not None and not self._writing.is_held:
            merging.wait()

    def _give_up_merging(self) -> None:
        """Wait until no merge is under way; what was is left as it was."""
        merging = self._merging
        if merging is not None:
            merging.given_up = True
            try:
                merging.wait()
            except BaseException:
                merging.given_up = False
                raise
