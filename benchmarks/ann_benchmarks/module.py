"""hashindex for github.com/erikbern/ann-benchmarks: copy this folder to ann_benchmarks/algorithms/hashindex/ there.

Its Hamming sets hold a bool per bit. The answer is exact: of neighbours at one distance those with the least ids.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import hashindex as hx


class Hashindex:
    """Has the methods of their ``BaseANN``."""

    def __init__(self, recall: float = 1.0) -> None:
        self.name = f"hashindex({recall=})" if recall < 1 else "hashindex"
        self._recall = recall
        self._found = np.empty((0, 0), np.int64)

    def fit(self, X: NDArray[np.bool_]) -> None:  # noqa: N803
        """Index the codes (n, n_bits), and build what many searches for neighbours would pay for."""
        self._index = hx.HashIndex(X.shape[1])
        self._index.add(np.asarray(X, np.bool_))
        if self._recall < 1:
            self._index.prepare(k=10, recall=self._recall)
        else:
            self._index.prepare(k=10)

    def query(self, q: NDArray[np.bool_], n: int) -> NDArray[np.int64]:
        """The ids of the n nearest."""
        return self._search(q, n, n_threads=1)

    def batch_query(self, X: NDArray[np.bool_], n: int) -> None:  # noqa: N803
        """Find those of many queries, on all cores."""
        self._found = self._search(X, n)

    def get_batch_results(self) -> NDArray[np.int64]:
        """Of each query of the last batch."""
        return self._found

    def get_memory_usage(self) -> float | None:
        """Their runner measures the process itself if it is told nothing."""
        import psutil

        return float(psutil.Process().memory_info().rss) / 1024

    def get_additional(self) -> dict[str, Any]:
        """Nothing is added to the results."""
        return {}

    def done(self) -> None:
        """Nothing is left behind."""

    def __str__(self) -> str:
        return self.name

    def _search(self, queries: NDArray[np.bool_], n: int, n_threads: int | None = None) -> NDArray[np.int64]:
        packed = np.packbits(np.asarray(queries, np.bool_), axis=-1)
        if self._recall < 1:
            return self._index.search(packed, k=n, recall=self._recall, n_threads=n_threads).ids
        return self._index.search(packed, k=n, n_threads=n_threads).ids
