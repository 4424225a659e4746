"""The C++ engine: SIMD kernels chosen for the CPU, own threads, no GIL while it works."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..engine import PartArrays
from ..query import Relevance
from ..rows import Codes
from .clusters import NativeClusters
from .core import Core
from .folds import NativeFolds
from .multi_index import NativeMultiIndex
from .scan import NativeScan


def available_isas() -> list[str]:
    """ISAs this CPU can run, best first: of avx512, avx512bw, avx2, popcnt, neon and scalar."""
    return _core.available_isas()


class NativeEngine:
    """The compiled searches with one ISA.

    Parameters
    ----------
    isa : str, optional
        The kernel to use; default the environment variable ``HASHINDEX_ISA``, else (or where that is empty) the best.

    Raises
    ------
    ValueError
        The ISA is unknown or this CPU cannot run it.
    """

    name = "native"
    append = staticmethod(_core.append_codes)

    def __init__(self, isa: str | None = None) -> None:
        available = available_isas()
        self.isa = (os.environ.get("HASHINDEX_ISA") or available[0]) if isa is None else isa
        if self.isa not in available:
            said = "" if isa is not None else ", as HASHINDEX_ISA says,"
            raise ValueError(f"isa {self.isa!r}{said} cannot run on this CPU; it has: {', '.join(available)}")
        self._native = Core(self.isa)
        self.scan = NativeScan(self._native)
        self.multi_index = NativeMultiIndex(self._native)
        self.clusters = NativeClusters(self._native)
        self.folds = NativeFolds(self._native)

    @property
    def description(self) -> str:
        """As in ``native (avx512)``."""
        return f"native ({self.isa})"

    def count_distances(self, codes: Codes, queries: Codes, relevance: Relevance, n_threads: int) -> NDArray[np.int64]:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.count_distances(codes, queries, *relevance, self.isa, self._native.pool, n_threads)[0]

    def score_codes(self, codes: Codes, queries: NDArray[np.float32], n_threads: int) -> NDArray[np.float32]:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.score_codes(codes, queries, self.isa, self._native.pool, n_threads)

    def score_vectors(
        self, vectors: NDArray[np.float32], queries: NDArray[np.float32], n_threads: int
    ) -> NDArray[np.float32]:
        """See :class:`hashindex.engines.engine.Engine`."""
        return _core.score_vectors(vectors, queries, self.isa, self._native.pool, n_threads)

    def part(self, arrays: PartArrays) -> _core.Part:
        """See :class:`hashindex.engines.engine.Engine`."""
        codes, first_id, ids, starts, holders = arrays
        return _core.Part(codes, ids, first_id, starts, holders)

    def plan(self, steps: Sequence[tuple[Any, Any, NDArray[np.int64] | None]]) -> _core.Plan:
        """See :class:`hashindex.engines.engine.Engine`."""
        return self._native.plan(steps)
