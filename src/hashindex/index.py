"""The index: add codes, find every one within a radius or the k nearest, exactly."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from . import engines, inputs, planner
from .engines import Engine
from .locks import ForkLock
from .matches import MISSING_DISTANCE, MISSING_ID, NearestMatches, RadiusMatches
from .snapshot import Snapshot
from .tables import MAX_TABLE_CODES, thresholds
from .threads import n_threads as threads_to_use

Method = Literal["auto", "scan", "multi-index"]
METHODS: tuple[Method, ...] = ("auto", "scan", "multi-index")


class HashIndex:
    """Exact Hamming search over packed binary codes.

    Every method, engine, ISA and number of threads gives the same answer, ordered by (distance, id). Searches may
    run in many threads while one thread adds or removes: each sees one consistent state.

    Parameters
    ----------
    n_bits : int, optional
        Bits of a code, 1 to 65,536. Default: inferred from the first codes added.
    engine : str or Engine, optional
        ``"native"``, ``"numba"`` or ``"numpy"``. Default: ``HASHINDEX_ENGINE``, else the fastest installed.

    Raises
    ------
    TypeError, ValueError
        ``n_bits`` is no integer or out of range; the engine is unknown.
    ImportError
        The engine is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import hashindex as hx
    >>> index = hx.HashIndex(n_bits=64)
    >>> ids = index.add(np.arange(1000, dtype=np.uint64))
    >>> hits = index.search(np.uint64(7), radius=1)
    >>> hits.distances[:3], hits.ids[:3]
    (array([0, 1, 1], dtype=int32), array([7, 3, 5]))
    """

    def __init__(self, n_bits: int | None = None, *, engine: str | Engine | None = None) -> None:
        self._engine = engine if engine is not None and not isinstance(engine, str) else engines.load(engine)
        self._snapshot = Snapshot.empty(None if n_bits is None else inputs.check_n_bits(n_bits))
        self._writing = ForkLock()

    @property
    def n_bits(self) -> int | None:
        """Bits of a code; None until the first add of an index that infers it."""
        return self._snapshot.n_bits

    @property
    def code_size(self) -> int | None:
        """Bytes of a code; None as long as ``n_bits`` is."""
        n_bits = self.n_bits
        return None if n_bits is None else inputs.code_size(n_bits)

    @property
    def engine_name(self) -> str:
        """The engine in use, as in ``native (avx512)``."""
        return self._engine.description

    def __len__(self) -> int:
        """Count the codes in the index."""
        return self._snapshot.n_codes

    def __repr__(self) -> str:
        return f"HashIndex(n_bits={self.n_bits}, n_codes={len(self)}, engine={self.engine_name!r})"

    def __getstate__(self) -> dict[str, Any]:
        snapshot = self._snapshot
        return {
            "engine": self._engine.name,
            "n_bits": snapshot.n_bits,
            "codes": snapshot.codes,
            "ids": snapshot.ids,
            "next_id": snapshot.next_id,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._engine = engines.load(state["engine"])
        # The arrays have no room behind their last row, so a copy never appends into its original's buffer.
        codes, ids = state["codes"], state["ids"]
        self._snapshot = Snapshot(state["n_bits"], codes, ids, len(ids), state["next_id"])
        self._writing = ForkLock()

    def add(self, codes: Any, *, ids: Any | None = None) -> NDArray[np.int64]:
        """Add codes; all of them, or none if anything is wrong.

        Parameters
        ----------
        codes : array_like
            Packed uint8 (n, code_size) with zero pad bits, bool (n, n_bits), uint64 (n,) for 64 bits, or one such
            code; NumPy arrays, memory maps, CPU tensors, Arrow fixed-size binary.
        ids : array_like of int, shape (n,), optional
            Your own ids, 0 <= id < 2**63 - 1. Default: counted up from 0, never one that was used before.

        Returns
        -------
        int64 array of shape (n,)
            The ids of the codes.

        Raises
        ------
        TypeError, ValueError
            Codes that could be misread, ids that are no integers, given twice or already in the index.
        """
        with self._writing:
            snapshot = self._snapshot
            given = inputs.as_codes(codes, snapshot.n_bits, "codes")
            if ids is None:
                new_ids = snapshot.free_ids(len(given.codes))
            else:
                new_ids = inputs.as_ids(ids)
                if len(new_ids) != len(given.codes):
                    raise ValueError(f"got {len(new_ids)} ids for {len(given.codes)} codes")
                snapshot.check_new(new_ids)
            self._snapshot = snapshot.with_codes(given.n_bits, given.codes, new_ids)
        return new_ids

    def remove(self, ids: Any) -> int:
        """Remove codes by id; all of them, or none if one is not there. Copies what stays.

        Parameters
        ----------
        ids : array_like of int, shape (n,)

        Returns
        -------
        int
            How many codes were removed.

        Raises
        ------
        TypeError, ValueError
            Ids that are no integers.
        KeyError
            An id that is not in the index.
        """
        wanted = np.unique(inputs.as_ids(ids))
        with self._writing:
            snapshot = self._snapshot
            unknown = wanted[~snapshot.contains(wanted)]
            if len(unknown):
                raise KeyError(f"id {unknown[0]} is not in the index; nothing was removed")
            if len(wanted):
                self._snapshot = snapshot.without(wanted)
        return len(wanted)

    @overload
    def search(
        self,
        queries: Any,
        k: int,
        *,
        radius: int | None = ...,
        method: Method = ...,
        n_threads: int | None = ...,
    ) -> NearestMatches: ...

    @overload
    def search(
        self,
        queries: Any,
        k: None = ...,
        *,
        radius: int,
        method: Method = ...,
        n_threads: int | None = ...,
    ) -> RadiusMatches: ...

    def search(
        self,
        queries: Any,
        k: int | None = None,
        *,
        radius: int | None = None,
        method: Method = "auto",
        n_threads: int | None = None,
    ) -> NearestMatches | RadiusMatches:
        """Find every code within ``radius``, or the ``k`` nearest, or the ``k`` nearest within ``radius``.

        Parameters
        ----------
        queries : array_like
            As the codes of :meth:`add`. One query given with one dimension fewer gives results with one fewer.
        k : int, optional
            How many neighbours, at least 1.
        radius : int, optional
            Largest distance, inclusive.
        method : {"auto", "scan", "multi-index"}
            Changes the time a search takes, never its answer.
        n_threads : int, optional
            Default: ``HASHINDEX_NUM_THREADS``, else the CPUs this process may run on.

        Returns
        -------
        RadiusMatches
            For a radius alone: ``offsets`` int64 (n_queries + 1,), ``distances`` int32 and ``ids`` int64.
        NearestMatches
            With k: ``distances`` int32 and ``ids`` int64, both (n_queries, k).

        Raises
        ------
        TypeError
            Neither k nor radius is given, or one is no integer; queries of a wrong dtype.
        ValueError
            k < 1, radius < 0, queries that could be misread, an unknown method.
        """
        if k is None and radius is None:
            raise TypeError("search needs k= (the k nearest), radius= (all within it) or both")
        k = None if k is None else inputs.check_k(k)
        radius = None if radius is None else inputs.check_radius(radius)
        if method not in METHODS:
            raise ValueError(f"method {method!r} is unknown; expected one of: {', '.join(METHODS)}")
        threads = threads_to_use(n_threads)
        snapshot = self._snapshot
        given = inputs.as_codes(queries, snapshot.n_bits, "queries")
        within = min(given.n_bits if radius is None else radius, given.n_bits)
        plan = planner.choose(snapshot, len(given.codes), radius) if method == "auto" else method
        if plan == "multi-index" and snapshot.n_codes >= MAX_TABLE_CODES:
            raise ValueError(f"multi-index holds fewer than {MAX_TABLE_CODES} codes, the index {snapshot.n_codes}")
        if k is None:
            return self._within(snapshot, given.codes, within, plan, threads)
        near = self._nearest(snapshot, given.codes, k, within, plan, threads)
        return NearestMatches(near.distances[0], near.ids[0]) if given.single else near

    def _within(
        self, snapshot: Snapshot, queries: NDArray[np.uint8], radius: int, method: str, threads: int
    ) -> RadiusMatches:
        if snapshot.n_codes == 0:
            nothing = np.empty(0, np.int64)
            return RadiusMatches(np.zeros(len(queries) + 1, np.int64), nothing.astype(np.int32), nothing)
        codes = snapshot.codes
        if method == "scan":
            offsets, distances, rows = self._engine.scan_radius(codes, queries, radius, threads)
        else:
            tables = snapshot.tables(self._engine, threads)
            allowed = thresholds(radius, tables.widths)
            offsets, distances, rows = self._engine.probe_radius(codes, tables, queries, radius, allowed, threads)
        return RadiusMatches(offsets, distances, snapshot.ids[rows])

    def _nearest(
        self, snapshot: Snapshot, queries: NDArray[np.uint8], k: int, radius: int, method: str, threads: int
    ) -> NearestMatches:
        distances = np.full((len(queries), k), MISSING_DISTANCE, np.int32)
        ids = np.full((len(queries), k), MISSING_ID, np.int64)
        k = min(k, snapshot.n_codes)
        if k == 0:
            return NearestMatches(distances, ids)
        codes = snapshot.codes
        if method == "scan":
            distances[:, :k], rows = self._engine.scan_nearest(codes, queries, k, radius, threads)
        else:
            tables = snapshot.tables(self._engine, threads)
            distances[:, :k], rows = self._engine.probe_nearest(codes, tables, queries, k, radius, threads)
        ids[:, :k] = np.where(rows < 0, MISSING_ID, snapshot.ids[rows])
        return NearestMatches(distances, ids)
