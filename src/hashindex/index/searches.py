"""Searches of an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..explain import Explanation, PartReport, nbytes
from ..inputs.codes import ready_codes
from ..inputs.numbers import as_radii, check_k, check_padding, check_radius, check_recall
from ..inputs.vectors import as_rescoring
from ..matches import ApproximateMatches, NearestMatches, RadiusMatches, ScoredMatches
from ..search.readable import Report
from ..search.rescoring import rescored
from ..store.change import NOTHING
from ..support.progress import Progress, check_progress
from ..writing.compacting import compacted
from .publishing import Publishing
from .state import Ids, Method, checked_rows

Radius = int | Sequence[int] | NDArray[np.integer[Any]]


class Searches(Publishing):
    """Searching, and what is done for it."""

    @overload
    def search(
        self,
        queries: Any,
        k: int,
        *,
        radius: Radius | None = ...,
        allow: Ids | None = ...,
        deny: Ids | None = ...,
        method: Method = ...,
        n_threads: int | None = ...,
    ) -> NearestMatches: ...

    @overload
    def search(
        self,
        queries: Any,
        k: int,
        *,
        recall: float,
        allow: Ids | None = ...,
        deny: Ids | None = ...,
        method: Method = ...,
        n_threads: int | None = ...,
    ) -> ApproximateMatches: ...

    @overload
    def search(
        self,
        queries: Any,
        k: int,
        *,
        rescore: Any,
        oversample: int | None = ...,
        vectors: Any | None = ...,
        radius: Radius | None = ...,
        allow: Ids | None = ...,
        deny: Ids | None = ...,
        method: Method = ...,
        n_threads: int | None = ...,
    ) -> ScoredMatches: ...

    @overload
    def search(
        self,
        queries: Any,
        k: None = ...,
        *,
        radius: Radius,
        allow: Ids | None = ...,
        deny: Ids | None = ...,
        method: Method = ...,
        n_threads: int | None = ...,
    ) -> RadiusMatches: ...

    def search(
        self,
        queries: Any,
        k: int | None = None,
        *,
        radius: Radius | None = None,
        allow: Ids | None = None,
        deny: Ids | None = None,
        method: Method = "auto",
        n_threads: int | None = None,
        recall: float | None = None,
        rescore: Any | None = None,
        oversample: int | None = None,
        vectors: Any | None = None,
    ) -> NearestMatches | RadiusMatches | ScoredMatches:
        """Find every code within ``radius``, or the ``k`` nearest, or the ``k`` nearest within ``radius``.

        Parameters
        ----------
        queries : array_like
            As the codes of :meth:`add`. One query given with one dimension fewer gives results with one fewer.
        k : int, optional
            How many neighbours, at least 1.
        radius : int, or array_like of int (n_queries,), optional
            Largest distance, inclusive; an array has one for each query.
        allow, deny : array_like of int (n,), or of bool, optional
            Search only among these ids, or among all but these; or ``mask[id]`` tells, and ids beyond its end are not
            meant. Unknown ids are ignored.
        method : {"auto", "scan", "multi-index", "clusters", "folds"}
            Changes the time a search takes, never its answer.
        n_threads : int, optional
            Default: ``HASHINDEX_NUM_THREADS``, else the CPUs this process may run on.
        recall : float, optional
            With k alone: this share of the k nearest is enough, 0 < recall <= 1, on average over queries that are like
            the codes; a neighbour counts as found by its distance. The first such search builds what it needs. With
            ``allow`` or ``deny`` the answer is exact.
        rescore : array_like of float (n_queries, n_dims), optional
            With k: order the ``oversample * k`` nearest by the dot product of these with their codes, bits taken as +1
            and -1, and return the k best. Float32; float64 sums in a fixed order, the same on every machine.
        oversample : int, optional
            With ``rescore``; default 4.
        vectors : array_like of float (n, n_dims), optional
            With ``rescore``: ``vectors[id]`` takes the place of the code. A memory map is read where it is needed.

        Returns
        -------
        RadiusMatches
            For a radius alone: ``offsets`` int64 (n_queries + 1,), ``distances`` int32 and ``ids`` int64.
        NearestMatches
            With k: ``distances`` int32 and ``ids`` int64, both (n_queries, k).
        ApproximateMatches
            With k and ``recall``: as with k, and ``proven`` bool (n_queries,): the answers that are exact.
        ScoredMatches
            With k and ``rescore``: ``scores`` float32 and ``ids`` int64, both (n_queries, k).

        Raises
        ------
        TypeError
            Neither k nor radius is given, or one is no integer; queries of a wrong dtype; ``rescore`` without k, or
            what belongs to it without it; ``recall`` with a radius, without k or with ``rescore``.
        ValueError
            k < 1, radius < 0, queries that could be misread, an unknown method; a k whose missing neighbours alone
            would take more than 1 GiB; floats of a wrong shape or not finite, ids beyond the last vector.
        """
        snapshot = self._only(allow, deny)
        rows = ready_codes(queries, snapshot.code_size, snapshot.n_bits)
        if rows is None:
            rows, n_bits = checked_rows(queries, snapshot)
        else:
            n_bits = 8 * snapshot.code_size
        n_queries = len(rows) if rows.ndim == 2 else 1
        if recall is not None:
            recall = check_recall(recall, k, radius, rescore, oversample, vectors)
            recall = recall if allow is None and deny is None else 1.0
        found: NearestMatches | RadiusMatches
        if k is None:
            if radius is None:
                raise TypeError("search needs k= (the k nearest), radius= (all within it) or both")
            if rescore is not None or oversample is not None or vectors is not None:
                raise TypeError("rescore= returns the k best, so it needs k=; it may have radius= besides")
            radii = as_radii(radius, n_bits, n_queries)
            found, plan = self._how(method, n_threads, rows.size * snapshot.n_codes).within(snapshot, rows, radii)
        else:
            k = check_k(k)
            if k > snapshot.n_codes:
                check_padding(k, snapshot.n_codes, n_queries)
            radii = n_bits if radius is None else as_radii(radius, n_bits, n_queries)
            how = self._how(method, n_threads, rows.size * snapshot.n_codes)
            if recall is not None:
                return how.enough(recall).nearest(snapshot, rows, k, 8 * snapshot.code_size)[0]
            if rescore is not None or oversample is not None or vectors is not None:
                rescoring = as_rescoring(rescore, oversample, vectors, rows, n_bits)
                return rescored(how, snapshot, rows, k, radii, rescoring)
            found, plan = how.nearest(snapshot, rows, k, radii)
        if plan.paid:
            self._merge_all_soon(plan)
        return found

    def explain(
        self,
        queries: Any,
        k: int | None = None,
        *,
        radius: Radius | None = None,
        allow: Ids | None = None,
        deny: Ids | None = None,
        method: Method = "auto",
        n_threads: int | None = None,
        recall: float | None = None,
    ) -> Explanation:
        """Run the search that :meth:`search` would run, and tell how.

        Parameters and errors are those of :meth:`search`, which may rescore what this has found.

        Returns
        -------
        Explanation
            Per part of the index the method, lookups, candidates and time, predicted and measured, and bytes per
            code; ``print`` it for a table.
        """
        snapshot = self._only(allow, deny)
        rows, n_bits = checked_rows(queries, snapshot)
        n_queries = len(np.atleast_2d(rows))
        how, reports = self._how(method, n_threads, rows.size * snapshot.n_codes), list[Report]()
        if recall is not None:
            recall = check_recall(recall, k, radius)
            how, n_bits = how.enough(recall if allow is None and deny is None else 1.0), 8 * snapshot.code_size
        snapshot = how.settled(snapshot, n_queries)
        radii = n_bits if radius is None else as_radii(radius, n_bits, n_queries)
        if k is not None:
            check_padding(check_k(k), snapshot.n_codes, n_queries)
            _, plan = how.nearest(snapshot, rows, check_k(k), radii, reports)
        elif radius is not None:
            _, plan = how.within(snapshot, rows, radii, reports)
        else:
            raise TypeError("explain needs k= (the k nearest), radius= (all within it) or both")
        parts = how.parts(snapshot, plan, n_queries)
        steps = [PartReport.of(part, report, n_queries) for part, report in zip(parts, reports, strict=True)]
        size = snapshot.tail.codes.nbytes + snapshot.tail.ids.nbytes + sum(map(nbytes, snapshot.segments))
        return Explanation(n_queries, snapshot.n_codes, size / max(snapshot.n_codes, 1), tuple(steps))

    def prepare(
        self,
        k: int | None = None,
        *,
        radius: int | None = None,
        recall: float | None = None,
        n_threads: int | None = None,
        progress: Progress = False,
    ) -> None:
        """Build now what pays for many such searches, and wait; else searches build it when it has paid.

        Makes one segment of everything first, as :meth:`compact` does, but for an index that only reads a store.
        Measures once per machine how fast searches are here, which takes some tenths of a second with the native
        engine; the others take many seconds.

        Parameters
        ----------
        k : int, optional
            As searches will have it.
        radius : int, optional
            As searches will have it. Default of both: one tenth of the bits as radius.
        recall : float, optional
            As searches for k will have it.
        n_threads : int, optional
            As for :meth:`search`.
        progress
            As for :meth:`components`.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`.
        OSError
            As :meth:`compact`.
        ImportError
            ``progress=True`` without tqdm.
        """
        k = None if k is None else check_k(k)
        recall = None if recall is None else check_recall(recall, k, radius)
        n_bits = self.n_bits or 0
        usual = n_bits // 10 if k is None else n_bits
        farthest = usual if radius is None else min(check_radius(radius), n_bits)
        how = self._how("auto", n_threads)
        check_progress(progress)
        self._wait_for_merges()
        if self._store is None or self._store.mode == "w":
            self._before_change()
            with self._writing.lock:
                self._publish(self._snapshot, compacted(self._snapshot), NOTHING)
        if recall is not None:
            how, farthest = how.enough(recall), 8 * self._snapshot.code_size
        how.prepare(self._snapshot, k, farthest, progress)
