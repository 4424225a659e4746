"""How far a search looks into which table, and what that is predicted to cost.

Costs come from constants (:mod:`hashindex.structures.costs`) and from bucket sizes met by stored codes. A wrong
prediction costs time and never changes an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import comb, inf

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ...engines.tables import Layout, Shells, Tables, n_copied
from ...segments.segment import Segment
from ..costs import Costs
from ..sampling import key_differences

MOST_FLIPS = 12  # per table that a radius search considers
SAMPLE_QUERIES, SAMPLE_KEYS = 32, 2048  # stored codes whose keys are compared
ROW_SIZE = 4  # bytes in a table
MOST_SAMPLED = 6  # tables; of more, every second or so


@dataclass(frozen=True)
class Prices:
    """What each shell of each table is expected to hold and to cost one query."""

    lookups: NDArray[np.float64]  # (n_tables, n_flips + 1)
    candidates: NDArray[np.float64]  # (n_tables, n_flips + 1)
    nanoseconds: NDArray[np.float64]  # (n_tables, n_flips + 1)


def expected_prices(segment: Segment, layout: Layout, costs: Costs) -> Prices:
    """Prices by how the keys of sampled codes differ, and at least as if codes were uniform. Needs no tables."""
    n_codes, n_tables, width = len(segment.codes), len(layout.widths), int(layout.widths[0])
    some = segment.codes[:: max(1, n_codes // SAMPLE_KEYS)][:SAMPLE_KEYS].copy()  # from all over memory, once
    rows = np.arange(SAMPLE_QUERIES) * (len(some) - 1) // (SAMPLE_QUERIES - 1)
    pairs = np.zeros((n_tables, width + 1))
    step = -(-n_tables // MOST_SAMPLED)
    sampled = np.arange(0, n_tables, step)
    pairs[sampled] = key_differences(some, rows, layout.masks[sampled])[:, : width + 1]
    pairs[sampled, 0] -= len(rows)  # each with itself
    pairs[:] = pairs[np.arange(n_tables) // step * step]  # tables are dealt alike
    lookups = np.array([[float(comb(width, flips)) for flips in range(width + 1)]] * n_tables)
    candidates = np.maximum(lookups * n_codes / 2.0**width, pairs * (n_codes / (len(rows) * len(some))))
    with_copies = n_copied(segment.codes, n_tables)
    each = [costs.probe(n_codes, segment.n_bits, t < with_copies) for t in range(n_tables)]
    lookup, candidate = np.array(each).T[:, :, None]
    candidate[with_copies:] += costs.apart(n_codes * (segment.codes.shape[1] + ROW_SIZE * n_tables))
    return Prices(lookups, candidates, lookups * lookup + candidates * candidate)


def thresholds(radius: int, prices: Prices) -> NDArray[np.int32] | None:
    """How many key bits may differ in each table so that no code within ``radius`` is missed; -1 = skip it.

    General pigeonhole (Qin et al.: GPH, ICDE 2018): if ``sum(t_j + 1) = radius + 1``, a code that exceeds t_j in every
    table differs in at least ``sum(t_j + 1) > radius`` bits. A dynamic programme over tables and shells finds the
    cheapest such split. None if there is none within ``MOST_FLIPS``.
    """
    shells = radius + 1
    n_tables, n_flips = prices.nanoseconds.shape
    spent = np.concatenate([np.zeros((n_tables, 1)), np.cumsum(prices.nanoseconds, axis=1)], axis=1)
    most = min(MOST_FLIPS + 1, n_flips, shells)  # shells of one table
    if most * n_tables < shells:
        return None
    best = np.full(most + shells + 1, inf)  # by shells behind the first `most`: fewer than none cannot be
    best[most] = 0.0
    before = sliding_window_view(best, shells + 1)[::-1]  # (most + 1, shells + 1): that many fewer shells
    taken = np.zeros((n_tables, shells + 1), np.int32)
    for t in range(n_tables):
        options = before + spent[t, : most + 1, None]
        taken[t] = options.argmin(axis=0)
        best[most:] = options.min(axis=0)
    allowed = np.empty(n_tables, np.int32)
    for t in reversed(range(n_tables)):
        allowed[t] = taken[t, shells] - 1
        shells -= taken[t, shells]
    return allowed


def whole_table(tables: Tables) -> NDArray[np.int32]:
    """Thresholds that look into every bucket of one table: complete for any radius."""
    allowed = np.full(len(tables.widths), -1, np.int32)
    narrowest = int(np.argmin(tables.widths))
    allowed[narrowest] = tables.widths[narrowest]
    return allowed


def shells(prices: Prices) -> Shells:
    """The steps of a k-NN search: always the cheapest next shell, until all of one table has been seen."""
    nanoseconds: list[list[float]] = prices.nanoseconds.tolist()
    following = [(shell[0], t, 0) for t, shell in enumerate(nanoseconds)]  # of each table
    heapify(following)
    steps: list[tuple[int, int]] = []
    while True:
        _, t, flips = following[0]
        steps.append((t, flips))
        if flips + 1 == len(nanoseconds[t]):
            break
        heapreplace(following, (nanoseconds[t][flips + 1], t, flips + 1))
    taken = np.array(steps, np.int32)
    return Shells(taken, prices.nanoseconds[taken[:, 0], taken[:, 1]])


def probe_cost(allowed: NDArray[np.int32] | None, prices: Prices) -> tuple[float, float, float]:
    """Predicted lookups, candidates and nanoseconds of one query; infinite without thresholds."""
    if allowed is None:
        return inf, inf, inf
    chosen = np.arange(prices.lookups.shape[1]) <= allowed[:, None]
    return tuple(float(part[chosen].sum()) for part in (prices.lookups, prices.candidates, prices.nanoseconds))  # type: ignore[return-value]
