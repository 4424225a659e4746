"""Which method answers a search: the one with the least predicted time.

A first simple rule for uniform codes, with constants measured on one Zen 5 core. A wrong prediction costs time and
never changes an answer.
"""

from __future__ import annotations

from math import comb
from typing import Literal

from .snapshot import Snapshot
from .tables import MAX_TABLE_CODES, layout, lookups, thresholds

ExactMethod = Literal["scan", "multi-index"]

NS_PER_SCANNED_WORD = 0.04  # batched scan: 64 bits of one code against one query
NS_PER_LOOKUP = 10.0
NS_PER_CANDIDATE = 6.0
NS_PER_BUILT_ROW = 6.0  # one code in one table
FEWEST_CODES = 10_000  # below, a scan takes about as long as the call itself


def choose(snapshot: Snapshot, n_queries: int, radius: int | None) -> ExactMethod:
    """Return the method for ``n_queries`` queries; ``radius`` is None for the k nearest at any distance.

    Tables are built as soon as the searches of this snapshot have lost as much time by their absence as building
    takes: at worst that doubles the total (the ski-rental argument).
    """
    n_codes, n_bits = snapshot.n_codes, snapshot.n_bits
    if radius is None or n_bits is None or not FEWEST_CODES <= n_codes < MAX_TABLE_CODES:
        return "scan"
    _, widths = layout(n_bits, n_codes)
    allowed = thresholds(radius, widths)
    candidates = sum(
        n_codes * sum(comb(width, flips) for flips in range(threshold + 1)) / 2**width
        for threshold, width in zip(allowed.tolist(), widths.tolist(), strict=True)
    )
    scan = NS_PER_SCANNED_WORD * n_codes * ((n_bits + 63) // 64)
    probe = NS_PER_LOOKUP * lookups(allowed, widths) + NS_PER_CANDIDATE * candidates
    if probe >= scan:
        return "scan"
    snapshot.cache.missed += n_queries * (scan - probe)
    worth_building = snapshot.cache.missed >= NS_PER_BUILT_ROW * n_codes * len(widths)
    return "multi-index" if worth_building or snapshot.cache.tables is not None else "scan"
