"""The index: add codes, find every one within a radius or the k nearest, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from . import engines
from .engines import Engine
from .explain import Explanation
from .inputs.codes import Given, as_codes
from .inputs.ids import as_ids
from .inputs.numbers import check_k, check_n_bits, check_radius, code_size
from .inputs.numbers import n_threads as threads_to_use
from .matches import NearestMatches, RadiusMatches
from .search.pairs import Pairs, join, self_join
from .search.searching import Search, Step
from .segments.snapshot import Snapshot
from .support.locks import ForkLock

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
        self._engine = engines.load(engine) if engine is None or isinstance(engine, str) else engines.check(engine)
        self._snapshot = Snapshot.empty(None if n_bits is None else check_n_bits(n_bits))
        self._writing = ForkLock()

    @property
    def n_bits(self) -> int | None:
        """Bits of a code; None until the first add of an index that infers it."""
        return self._snapshot.n_bits

    @property
    def code_size(self) -> int | None:
        """Bytes of a code; None as long as ``n_bits`` is."""
        n_bits = self.n_bits
        return None if n_bits is None else code_size(n_bits)

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
        codes, ids = snapshot.all_codes()
        return {
            "engine": self._engine.name,
            "n_bits": snapshot.n_bits,
            "codes": codes,
            "ids": ids,
            "next_id": snapshot.next_id,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._engine = engines.load(state["engine"])
        snapshot = Snapshot.empty(state["n_bits"])
        if len(state["ids"]):
            snapshot = snapshot.with_codes(state["n_bits"], state["codes"], state["ids"])
        self._snapshot = replace(snapshot, next_id=state["next_id"])
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
            given = as_codes(codes, snapshot.n_bits, "codes")
            if ids is None:
                new_ids = snapshot.free_ids(len(given.codes))
            else:
                new_ids = as_ids(ids)
                if len(new_ids) != len(given.codes):
                    raise ValueError(f"got {len(new_ids)} ids for {len(given.codes)} codes")
                snapshot.check_new(new_ids)
            self._snapshot = snapshot.with_codes(given.n_bits, given.codes, new_ids)
        return new_ids

    def remove(self, ids: Any) -> int:
        """Remove codes by id; all of them, or none if one is not there.

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
        wanted = np.unique(as_ids(ids))
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
        given, _, found, _ = self._run(queries, k, radius, method, n_threads)
        if given.single and isinstance(found, NearestMatches):
            return NearestMatches(found.distances[0], found.ids[0])
        return found

    def explain(
        self,
        queries: Any,
        k: int | None = None,
        *,
        radius: int | None = None,
        method: Method = "auto",
        n_threads: int | None = None,
    ) -> Explanation:
        """Run the search that :meth:`search` would run, and tell how.

        Parameters and errors are those of :meth:`search`.

        Returns
        -------
        Explanation
            Per part of the index the method, lookups, candidates and time, predicted and measured, and bytes per
            code; ``print`` it for a table.
        """
        given, snapshot, _, steps = self._run(queries, k, radius, method, n_threads)
        size = snapshot.nbytes / max(snapshot.n_codes, 1)
        return Explanation(len(given.codes), snapshot.n_codes, size, tuple(steps))

    def pairs(self, radius: int, *, method: Method = "auto", n_threads: int | None = None) -> Iterator[Pairs]:
        """Find all pairs of codes in the index within ``radius``: near-duplicates, each pair once.

        Parameters
        ----------
        radius : int
            Largest distance, inclusive.
        method, n_threads
            As for :meth:`search`.

        Returns
        -------
        iterator of Pairs
            Blocks of ``ids_a`` < ``ids_b`` (int64) and ``distances`` (int32), in no particular order: about a million
            pairs, four million at most unless a single code has more. They are of the index as it was at the call.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`.
        """
        snapshot = self._snapshot
        how = self._how(method, n_threads)
        radius = check_radius(radius)
        return self_join(snapshot, how, min(radius, snapshot.n_bits or 0))

    def join(
        self, codes: Any, radius: int, *, method: Method = "auto", n_threads: int | None = None
    ) -> Iterator[Pairs]:
        """Find all pairs of a code in the index and one of ``codes`` within ``radius``, each once.

        Parameters
        ----------
        codes : array_like or HashIndex
            As the codes of :meth:`add`; or another index of the same width.
        radius, method, n_threads
            As for :meth:`pairs`.

        Returns
        -------
        iterator of Pairs
            ``ids_a`` are ids in this index, ``ids_b`` rows of ``codes`` (ids, if it is an index).

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`.
        """
        snapshot = self._snapshot
        how = self._how(method, n_threads)
        radius = check_radius(radius)
        ids = None
        if isinstance(codes, HashIndex):
            if codes.n_bits is not None and snapshot.n_bits not in (None, codes.n_bits):
                raise ValueError(f"an index of {snapshot.n_bits} bits cannot be joined with one of {codes.n_bits}")
            rows, ids = codes._snapshot.all_codes()
        else:
            rows = as_codes(codes, snapshot.n_bits, "codes").codes.copy()  # the caller may change theirs
        blocks = join(snapshot, how, rows, min(radius, snapshot.n_bits or 0)) if snapshot.n_codes else iter(())
        return blocks if ids is None else (block._replace(ids_b=ids[block.ids_b]) for block in blocks)

    def _how(self, method: str, n_threads: int | None) -> Search:
        if method not in METHODS:
            raise ValueError(f"method {method!r} is unknown; expected one of: {', '.join(METHODS)}")
        return Search(self._engine, method, threads_to_use(n_threads))

    def _run(
        self, queries: Any, k: int | None, radius: int | None, method: str, n_threads: int | None
    ) -> tuple[Given, Snapshot, NearestMatches | RadiusMatches, list[Step]]:
        """Check the arguments of a search and run it: for what, where, what was found, and how."""
        if k is None and radius is None:
            raise TypeError("search needs k= (the k nearest), radius= (all within it) or both")
        k = None if k is None else check_k(k)
        radius = None if radius is None else check_radius(radius)
        how = self._how(method, n_threads)
        snapshot = self._snapshot
        given = as_codes(queries, snapshot.n_bits, "queries")
        within = given.n_bits if radius is None else min(radius, given.n_bits)
        if k is None:
            return given, snapshot, *how.within(snapshot, given.codes, within)
        return given, snapshot, *how.nearest(snapshot, given.codes, k, within)
