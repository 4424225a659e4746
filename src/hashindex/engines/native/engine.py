"""The C++ engine: SIMD kernels chosen for the CPU, own threads, no GIL while it works."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..engine import Codes, NearestRows, RadiusRows, Relevance, Rows, Shells, TooManyHits, Work
from ..tables import Layout, Tables, n_copied

if TYPE_CHECKING:
    from ..._core import RadiusAnswer


def available_isas() -> list[str]:
    """ISAs this CPU can run, best first: of avx512, avx2, popcnt, neon and scalar."""
    return _core.available_isas()


class NativeEngine:
    """The compiled searches with one ISA.

    Parameters
    ----------
    isa : str, optional
        The kernel to use; default the environment variable ``HASHINDEX_ISA``, else the best there is.

    Raises
    ------
    ValueError
        The ISA is unknown or this CPU cannot run it.
    """

    name = "native"

    def __init__(self, isa: str | None = None) -> None:
        available = available_isas()
        self.isa = isa or os.environ.get("HASHINDEX_ISA") or available[0]
        if self.isa not in available:
            raise ValueError(f"isa {self.isa!r} cannot run on this CPU; it has: {', '.join(available)}")
        self._pool = _core.ThreadPool()

    @property
    def description(self) -> str:
        """As in ``native (avx512)``."""
        return f"native ({self.isa})"

    def scan_radius(self, rows: Rows, queries: Codes, radius: int, n_threads: int, most_hits: int = 0) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        most_hits *= len(queries) > 1
        return _radius_rows(_core.scan_radius(*rows, queries, radius, most_hits, self.isa, self._pool, n_threads))

    def scan_nearest(self, rows: Rows, queries: Codes, k: int, radii: NDArray[np.int32], n_threads: int) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        distances, found, work = _core.scan_nearest(*rows, queries, k, radii, self.isa, self._pool, n_threads)
        return NearestRows(distances, found, np.ones(len(queries), np.bool_), Work(*work[:2]))

    def count_distances(self, codes: Codes, queries: Codes, relevance: Relevance, n_threads: int) -> NDArray[np.int64]:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.count_distances(codes, queries, *relevance, self.isa, self._pool, n_threads)[0]

    def build_tables(self, codes: Codes, layout: Layout, n_threads: int) -> Tables:
        """See :class:`hashindex.engines.engine.Engine`."""
        n = n_copied(codes, len(layout.widths))
        offsets, rows, copies = _core.build_tables(codes, *layout, n, self.isa, self._pool, n_threads)
        return Tables(layout.masks, layout.widths, offsets, rows, copies)

    def probe_radius(
        self,
        rows: Rows,
        tables: Tables,
        queries: Codes,
        radius: int,
        thresholds: NDArray[np.int32],
        n_threads: int,
        most_hits: int = 0,
    ) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        most_hits *= len(queries) > 1
        return _radius_rows(
            _core.probe_radius(*rows, tables, queries, radius, thresholds, most_hits, self.isa, self._pool, n_threads)
        )

    def probe_nearest(
        self,
        rows: Rows,
        tables: Tables,
        queries: Codes,
        k: int,
        radii: NDArray[np.int32],
        shells: Shells,
        n_threads: int,
    ) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        distances, found, done, work = _core.probe_nearest(
            *rows,
            tables,
            queries,
            k,
            radii,
            shells.steps,
            shells.costs,
            shells.scan_cost,
            self.isa,
            self._pool,
            n_threads,
        )
        return NearestRows(distances, found, done, Work(*work[:2]))


def _radius_rows(found: RadiusAnswer | None) -> RadiusRows:
    if found is None:
        raise TooManyHits
    offsets, distances, rows, work = found
    return RadiusRows(offsets, distances, rows, Work(*work[:2]))
