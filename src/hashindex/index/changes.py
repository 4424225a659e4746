"""Changes of an index: one at a time, all of each or nothing."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..inputs.codes import as_codes, ready_codes
from ..inputs.ids import as_ids, as_some_ids
from ..store.change import NOTHING, Change
from ..support.interrupts import interruptible
from ..support.progress import Progress, reporting
from ..writing.adding import appended, check_new, free_ids, read, with_codes
from ..writing.removing import known, without
from .items import Noting


class Changes(Noting):
    """Adding, replacing and removing."""

    def add(
        self,
        codes: Any,
        *,
        ids: Any | None = None,
        on_duplicate: Literal["raise", "replace"] = "raise",
        keys: Any | None = None,
        payloads: Any | None = None,
        progress: Progress = False,
    ) -> NDArray[np.int64]:
        """Add codes; all of them, or none if anything is wrong.

        Parameters
        ----------
        codes : array_like
            Packed uint8 (n, code_size) with zero pad bits, bool (n, n_bits), uint64 (n,) for 64 bits, or one such
            code; NumPy arrays, memory maps, CPU tensors, Arrow fixed-size binary.
        ids : array_like of int, shape (n,), optional
            Your own ids, 0 <= id < 2**63 - 1. Default: counted up from 0, never one that was used before.
        on_duplicate : {"raise", "replace"}
            What to do about ids that are in the index already: refuse the whole call with a ValueError, or give them
            the new codes. Without ``ids``, about keys: refuse it, or remove the codes that have them.
        keys : sequence of str, length n, optional
            In a store: a unique text for each code, or None. An id that is replaced keeps its key without one.
        payloads : sequence, length n, optional
            In a store: what JSON can say of each code, or None. An id that is replaced keeps its own without one.
        progress : bool or callable
            Of many codes; as for :meth:`components`, while they are read. Takes memory for one more copy of them.

        Returns
        -------
        int64 array of shape (n,)
            The ids of the codes.

        Raises
        ------
        TypeError, ValueError
            Codes that could be misread, ids that are no integers, given twice or, unless they are to be replaced,
            already in the index. Keys given twice, or that another code keeps; keys or payloads for an index that is
            no store.
        OSError
            The store could not be written, or is open for reading; the index is as before.
        OSError, RuntimeError
            Merging segments in the background has failed since the last change; nothing was lost, call again.
        ImportError
            ``progress=True`` without tqdm.
        """
        if on_duplicate not in ("raise", "replace"):
            raise ValueError(f"on_duplicate must be 'raise' or 'replace', got {on_duplicate!r}")
        self._before_change()
        with self._writing.lock:
            snapshot = before = self._snapshot
            plain = self._store is None and keys is None and payloads is None  # nobody is told of the change
            if plain and ids is None and progress is False and (done := appended(before, codes, self._engine)):
                self._publish(before, done[0], None)
                return done[1]
            n_bits, rows = snapshot.n_bits, ready_codes(codes, snapshot.code_size, snapshot.n_bits)
            if rows is None or n_bits is None:
                given = as_codes(codes, n_bits, "codes")
                n_bits, rows = given.n_bits, given.codes
            n, replaced = len(rows) if rows.ndim == 2 else 1, NOTHING.removed
            by_key = ids is None and keys is not None and on_duplicate == "replace"
            if ids is None:
                new_ids = free_ids(snapshot, n)
                if by_key:
                    keys, replaced = self._replaced(keys, n)
                    snapshot = interruptible(lambda: without(snapshot, replaced), 16 * n)
            else:
                new_ids = as_ids(ids)
                if len(new_ids) != n:
                    raise ValueError(f"got {len(new_ids)} ids for {n} codes")
                if on_duplicate == "replace":
                    replaced = interruptible(lambda: known(snapshot, new_ids), 16 * n)
                    snapshot = interruptible(lambda: without(snapshot, replaced), 16 * n)
                interruptible(lambda: check_new(snapshot, new_ids), 16 * n)
            noted = None if plain else self._noted(keys, payloads, new_ids, are_free=by_key)
            self._check_still(before)
            if progress is False:
                new = with_codes(snapshot, n_bits, rows, new_ids, self._engine, counted=ids is None)
            else:
                with reporting(progress, n, "add") as tell:  # nothing is published before the last that is told
                    rows = read(rows, tell)
                    self._check_still(before)
                    new = with_codes(snapshot, n_bits, rows, new_ids, self._engine, counted=ids is None)
            change = None if noted is None else Change(replaced, new_ids, rows, noted.keys, noted.payloads)
            self._publish(before, new, change)
        return new_ids

    def replace(self, ids: Any, codes: Any) -> None:
        """Give ids that are in the index other codes; all of them, or none if anything is wrong.

        Parameters
        ----------
        ids : array_like of int, shape (n,)
        codes : array_like
            As the codes of :meth:`add`.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`add`.
        KeyError
            An id that is not in the index.
        OSError, RuntimeError
            As for :meth:`add`.
        """
        self._before_change()
        with self._writing.lock:
            snapshot = self._snapshot
            given, wanted = as_codes(codes, snapshot.n_bits, "codes"), as_ids(ids)
            if len(wanted) != len(given.codes):
                raise ValueError(f"got {len(wanted)} ids for {len(given.codes)} codes")
            rest = interruptible(lambda: without(snapshot, wanted), 16 * len(wanted))
            interruptible(lambda: check_new(rest, wanted), 16 * len(wanted))
            self._check_still(snapshot)
            new = with_codes(rest, given.n_bits, given.codes, wanted, self._engine)
            self._publish(snapshot, new, Change(wanted, wanted, given.codes))

    def clear(self) -> None:
        """Remove all codes. Their ids are not given out again; the index keeps its width.

        Raises OSError, RuntimeError as :meth:`add`.
        """
        self._before_change()
        with self._writing.lock:
            self._publish(self._snapshot, self._snapshot.cleared(), Change(cleared=True))

    def remove(
        self, ids: Any | None = None, *, keys: Any | None = None, missing: Literal["raise", "ignore"] = "raise"
    ) -> int:
        """Remove codes by id, or by key; all of them, or none if one is not there.

        Parameters
        ----------
        ids : int, or array_like of int, shape (n,)
        keys : str, or sequence of str
            Instead of ids, in a store.
        missing : {"raise", "ignore"}
            What to do about ids or keys that are not in the index.

        Returns
        -------
        int
            How many codes were removed.

        Raises
        ------
        TypeError, ValueError
            Ids that are no integers; keys for an index that is no store.
        KeyError
            An id or a key that is not in the index, unless they are to be ignored.
        OSError, RuntimeError
            As for :meth:`add`.
        """
        if missing not in ("raise", "ignore"):
            raise ValueError(f"missing must be 'raise' or 'ignore', got {missing!r}")
        if (ids is None) == (keys is None):
            raise TypeError("remove needs either ids or keys=")
        self._before_change()
        with self._writing.lock:
            snapshot = self._snapshot
            wanted = self._ids_of(keys, missing) if ids is None else as_some_ids(ids)[0]
            if missing == "ignore":
                wanted = interruptible(lambda: known(snapshot, wanted), 16 * len(wanted))
            new = interruptible(lambda: without(snapshot, wanted), 16 * len(wanted))
            self._publish(snapshot, new, None if self._store is None else Change(wanted))
            return snapshot.n_codes - new.n_codes
