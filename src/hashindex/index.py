"""The index: add codes, find every one within a radius or the k nearest, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from . import engines
from .engines import Engine
from .explain import Explanation, PartReport, nbytes
from .inputs.codes import as_codes, ready_codes
from .inputs.ids import as_ids
from .inputs.numbers import as_radii, check_k, check_n_bits, check_padding, check_radius, code_size
from .inputs.numbers import n_threads as threads_to_use
from .matches import NearestMatches, RadiusMatches
from .search.pairs import Pairs, join, self_join
from .search.readable import Report
from .search.searching import Search
from .segments.snapshot import Snapshot
from .structures import STRUCTURES
from .support.interrupts import interruptible
from .support.locks import ForkLock
from .writing.adding import check_new, free_ids, with_codes
from .writing.removing import without

Method = Literal["auto", "scan", "multi-index"]
METHODS: tuple[Method, ...] = ("auto", "scan", "multi-index")
Radius = int | Sequence[int] | NDArray[np.integer[Any]]
WORTH_THREADS = 2**18  # bytes compared, below which asking how many threads there are takes longer than the rest


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
        self._asked = engine is not None
        self._start(Snapshot.empty(None if n_bits is None else check_n_bits(n_bits)))

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
            "engine": self._engine.name if self._asked else None,
            "n_bits": snapshot.n_bits,
            "codes": codes,
            "ids": ids,
            "next_id": snapshot.next_id,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        asked = state["engine"]
        self._asked = asked in engines.available()  # what is not installed here gives way to the best that is
        self._engine = engines.load(asked if self._asked else None)
        snapshot = Snapshot.empty(state["n_bits"])
        if len(state["ids"]):
            snapshot = with_codes(snapshot, state["n_bits"], state["codes"], state["ids"])
        snapshot.next_id = state["next_id"]
        self._start(snapshot)

    def _start(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._writing = ForkLock()
        self._searches: dict[tuple[str, int], Search] = {}

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
        with self._writing.lock:
            snapshot = self._snapshot
            n_bits, rows = snapshot.n_bits, ready_codes(codes, snapshot.code_size, snapshot.n_bits)
            if rows is None or n_bits is None:
                given = as_codes(codes, n_bits, "codes")
                n_bits, rows = given.n_bits, given.codes
            n = len(rows) if rows.ndim == 2 else 1
            if ids is None:
                new_ids = free_ids(snapshot, n)
            else:
                new_ids = as_ids(ids)
                if len(new_ids) != n:
                    raise ValueError(f"got {len(new_ids)} ids for {n} codes")
                interruptible(lambda: check_new(snapshot, new_ids), len(new_ids))
            self._snapshot = with_codes(snapshot, n_bits, rows, new_ids, counted=ids is None)
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
        wanted = as_ids(ids)
        with self._writing.lock:
            snapshot = self._snapshot
            self._snapshot = interruptible(lambda: without(snapshot, wanted), len(wanted))
            return snapshot.n_codes - self._snapshot.n_codes

    @overload
    def search(
        self,
        queries: Any,
        k: int,
        *,
        radius: Radius | None = ...,
        method: Method = ...,
        n_threads: int | None = ...,
    ) -> NearestMatches: ...

    @overload
    def search(
        self,
        queries: Any,
        k: None = ...,
        *,
        radius: Radius,
        method: Method = ...,
        n_threads: int | None = ...,
    ) -> RadiusMatches: ...

    def search(
        self,
        queries: Any,
        k: int | None = None,
        *,
        radius: Radius | None = None,
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
        radius : int, or array_like of int (n_queries,), optional
            Largest distance, inclusive; an array has one for each query.
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
            k < 1, radius < 0, queries that could be misread, an unknown method; a k whose missing neighbours alone
            would take more than 1 GiB.
        """
        snapshot = self._snapshot
        rows = ready_codes(queries, snapshot.code_size, snapshot.n_bits)
        if rows is None:
            rows, n_bits = _rows(queries, snapshot)
        else:
            n_bits = 8 * snapshot.code_size
        n_queries = len(rows) if rows.ndim == 2 else 1
        if k is None:
            if radius is None:
                raise TypeError("search needs k= (the k nearest), radius= (all within it) or both")
            radii = as_radii(radius, n_bits, n_queries)
            return self._how(method, n_threads, rows.size * snapshot.n_codes).within(snapshot, rows, radii)[0]
        k = check_k(k)
        if k > snapshot.n_codes:
            check_padding(k, snapshot.n_codes, n_queries)
        radii = n_bits if radius is None else as_radii(radius, n_bits, n_queries)
        return self._how(method, n_threads, rows.size * snapshot.n_codes).nearest(snapshot, rows, k, radii)[0]

    def explain(
        self,
        queries: Any,
        k: int | None = None,
        *,
        radius: Radius | None = None,
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
        snapshot = self._snapshot
        rows, n_bits = _rows(queries, snapshot)
        n_queries = len(np.atleast_2d(rows))
        how, reports = self._how(method, n_threads, rows.size * snapshot.n_codes), list[Report]()
        snapshot = how.settled(snapshot, n_queries)
        radii = n_bits if radius is None else as_radii(radius, n_bits, n_queries)
        if k is not None:
            check_padding(check_k(k), snapshot.n_codes, n_queries)
            _, plan = how.nearest(snapshot, rows, check_k(k), radii, reports)
        elif radius is not None:
            _, plan = how.within(snapshot, rows, radii, reports)
        else:
            raise TypeError("explain needs k= (the k nearest), radius= (all within it) or both")
        parts = how.parts(snapshot, plan)
        steps = [PartReport.of(part, report, n_queries) for part, report in zip(parts, reports, strict=True)]
        size = snapshot.tail.codes.nbytes + snapshot.tail.ids.nbytes + sum(map(nbytes, snapshot.segments))
        return Explanation(n_queries, snapshot.n_codes, size / max(snapshot.n_codes, 1), tuple(steps))

    def prepare(self, k: int | None = None, *, radius: int | None = None, n_threads: int | None = None) -> None:
        """Build now what pays for many such searches, and wait; else searches build it when it has paid.

        Measures once per machine how fast searches are here, which takes some tenths of a second.

        Parameters
        ----------
        k : int, optional
            As searches will have it.
        radius : int, optional
            As searches will have it. Default of both: one tenth of the bits as radius.
        n_threads : int, optional
            As for :meth:`search`.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`.
        """
        snapshot = self._snapshot
        k = None if k is None else check_k(k)
        n_bits = snapshot.n_bits or 0
        usual = n_bits // 10 if k is None else n_bits
        farthest = usual if radius is None else min(check_radius(radius), n_bits)
        self._how("auto", n_threads).prepare(snapshot, k, farthest)

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

    def _how(self, method: str, n_threads: int | None, n_compared: int | None = None) -> Search:
        """How to search; ``n_compared`` bytes at most, of which few are not worth asking for threads."""
        if n_threads is None:
            few = n_compared is not None and n_compared < WORTH_THREADS
            n_threads = 1 if few else threads_to_use()
        known = type(method) is str and type(n_threads) is int
        search = self._searches.get((method, n_threads)) if known else None
        if search is None:
            n_threads = threads_to_use(n_threads)
            if not isinstance(method, str):
                raise TypeError(f"method must be a str, got {method!r}")
            if method != "auto" and method not in STRUCTURES:
                raise ValueError(f"method {method!r} is unknown; expected one of: {', '.join(('auto', *STRUCTURES))}")
            search = self._searches[method, n_threads] = Search(self._engine, method, n_threads)
        return search


def _rows(queries: Any, snapshot: Snapshot) -> tuple[NDArray[np.uint8], int]:
    """Checked queries (n, code_size), or one (code_size,), and their bits."""
    given = as_codes(queries, snapshot.n_bits, "queries")
    return (given.codes[0] if given.single else given.codes), given.n_bits
