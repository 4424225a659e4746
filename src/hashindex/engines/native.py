"""The C++ engine: SIMD kernels chosen for the CPU, own threads, no GIL while it works."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..tables import Tables
from .engine import Codes, NearestRows, RadiusRows


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

    def scan_radius(self, codes: Codes, queries: Codes, radius: int, n_threads: int) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.scan_radius(codes, queries, radius, self.isa, self._pool, n_threads)[:3]

    def scan_nearest(self, codes: Codes, queries: Codes, k: int, radius: int, n_threads: int) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.scan_nearest(codes, queries, k, radius, self.isa, self._pool, n_threads)[:2]

    def build_tables(
        self, codes: Codes, starts: NDArray[np.int32], widths: NDArray[np.int32], n_threads: int
    ) -> Tables:
        """See :class:`hashindex.engines.engine.Engine`."""
        offsets, rows = _core.build_tables(codes, starts, widths, self._pool, n_threads)
        return Tables(starts, widths, offsets, rows)

    def probe_radius(
        self,
        codes: Codes,
        tables: Tables,
        queries: Codes,
        radius: int,
        thresholds: NDArray[np.int32],
        n_threads: int,
    ) -> RadiusRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.probe_radius(codes, *tables, queries, radius, thresholds, self.isa, self._pool, n_threads)[:3]

    def probe_nearest(
        self, codes: Codes, tables: Tables, queries: Codes, k: int, radius: int, n_threads: int
    ) -> NearestRows:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.probe_nearest(codes, *tables, queries, k, radius, self.isa, self._pool, n_threads)[:2]
