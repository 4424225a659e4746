"""Small indexes with everything in them that a file can hold."""

from __future__ import annotations

from typing import Any

import numpy as np

import reference
from hashindex import HashIndex
from hashindex.segments.segment import Segment
from hashindex.segments.snapshot import Snapshot
from hashindex.segments.tail import TailBuffer

META = {"encoder": "phash", "version": [1, 2.5, None, True, {"ä": "ß"}]}


def some_index(rng: np.random.Generator, n_bits: int, n: int = 3000, **options: Any) -> HashIndex:
    """Two segments and a tail: n codes under own ids, some removed; n // 2 of which few are distinct; 100 more.

    Tables, clusters and folds are built for both segments.
    """
    index = HashIndex(n_bits, meta=META, **options)
    codes = reference.random_codes(rng, n, n_bits, "uniform")
    first = Segment.of(n_bits, codes, np.arange(n) * 3 + 7).collapsed()
    second = Segment.of(n_bits, np.repeat(codes[:40], n // 80, axis=0), np.arange(n // 80 * 40) + 4 * n).collapsed()
    index._start(Snapshot(n_bits, (first, second), TailBuffer.empty(0, codes.shape[1]), 0, 5 * n))
    for method in ("multi-index", "clusters", "folds"):
        index.search(codes[:2], radius=0, method=method)
    if first.postings is None:
        index.remove(np.arange(0, 99) * 3 + 7)
    index.add(codes[1000:1100], ids=np.arange(100)[::-1] * 3)
    return index
