"""Which bits of a code address the buckets of which table."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, comb, log2

import numpy as np
from numpy.typing import NDArray

from ...engines.tables import COPIED_BITS, MOST_TABLED, Layout
from ...support.native import core
from ..sampling import counted_between

MAX_TABLES = 16
MAX_WIDTH = 28  # a directory of 2**28 + 1 offsets is 1 GB
WIDE_WIDTH = 26  # of codes that take more than two tables
SAMPLE = 1024  # codes whose bits are looked at


@lru_cache(maxsize=256)
def shape(n_bits: int, n_distinct: int) -> tuple[int, int]:
    """Return how many tables, and how many bits address each, for ``n_distinct`` codes.

    Up to 64 bits ``n_bits / log2(n_distinct)`` tables (Norouzi, Punjani, Fleet: Fast Exact Search in Hamming Space
    with Multi-Index Hashing, section 4), each addressed so that a bucket holds about 8 codes: a flip among the bits
    left out costs nothing, since the whole bucket lies in one cache line. Of more than ``MOST_TABLED`` codes two tables
    whose buckets hold about 4: as fast within 3 bits, slower farther out, in half of the memory. Wider codes: as many
    tables, up to 16, as make a search within an eighth of the bits cheapest if codes are uniform.
    """
    bits = log2(max(n_distinct, 2))
    if n_bits <= COPIED_BITS:
        if n_distinct > MOST_TABLED:
            return 2, min(round(bits) - 2, MAX_WIDTH, n_bits // 2)
        n_tables = min(ceil(n_bits / bits), MAX_TABLES, n_bits)
        return n_tables, max(1, min(round(bits) - 3, WIDE_WIDTH, n_bits // n_tables))
    least = min(ceil(n_bits / min(bits, WIDE_WIDTH)), MAX_TABLES)
    options = {m: max(1, min(round(bits), WIDE_WIDTH, n_bits // m)) for m in range(least, MAX_TABLES + 1)}

    def cost(n_tables: int) -> float:
        width, shells = options[n_tables], n_bits // 8
        total = 0.0
        for t in range(n_tables):
            flips = shells // n_tables + (t < shells % n_tables)
            buckets = sum(comb(width, f) for f in range(flips))
            total += buckets * (1 + 4 * n_distinct / 2**width)  # a candidate costs some four lookups
        return total

    best = min(options, key=cost)
    return best, options[best]


def deal(sample: NDArray[np.uint8], n_bits: int, n_distinct: int) -> Layout:
    """Deal the bits of a code to tables, given a ``sample`` (n, code_size) of the codes.

    The bits that tell most come first (a bit that is nearly always the same is left out while there are others), each
    to the table whose bits it correlates least with: otherwise skewed codes crowd into few buckets. The idea is that
    of section 4.4 of the paper named in :func:`shape`.
    """
    n_tables, width = shape(n_bits, n_distinct)
    step = max(1, len(sample) // SAMPLE)
    masks = (dealt if core is None else core.deal)(sample, step, n_bits, n_tables, width)
    return Layout(masks, np.full(n_tables, width, np.int32))


def dealt(sample: NDArray[np.uint8], step: int, n_bits: int, n_tables: int, width: int) -> NDArray[np.uint8]:
    """Masks of ``n_tables`` tables, by one of every ``step`` codes: :func:`deal` without the native core.

    That core adds up the same numbers in the same order: the masks are the same.
    """
    bits = np.unpackbits(sample[::step], axis=1, count=n_bits)
    share = bits.mean(axis=0) if len(bits) else np.full(n_bits, 0.5)
    deviation = np.sqrt(share * (1 - share))
    order = np.argsort(-deviation.round(3), kind="stable")[: n_tables * width]
    correlation = _correlation(bits[:, order], share[order], deviation[order])
    tables: list[list[int]] = [[] for _ in range(n_tables)]
    shared = np.zeros((n_tables, len(order)))  # summed correlation of each bit with each table's
    for i, bit in enumerate(order.tolist()):
        _, _, t = min(
            (told, len(own), t)
            for t, (told, own) in enumerate(zip(shared[:, i].tolist(), tables, strict=True))
            if len(own) < width
        )
        tables[t].append(bit)
        shared[t] += correlation[i]
    return _packed(tables, n_bits)


def _correlation(
    bits: NDArray[np.uint8], share: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much each pair of the columns of bits (n, m) tells of each other: (m, m), 0 to 1.

    By counting where they differ, on packed columns: threads of a BLAS would have to be woken for so little.
    """
    columns = np.packbits(bits, axis=0).T
    differ = counted_between(columns, columns) / max(len(bits), 1)
    both = (share + share[:, None] - differ) / 2
    spread = np.maximum(deviation, 1e-6)
    found: NDArray[np.float64] = np.abs(both - np.outer(share, share)) / np.outer(spread, spread)
    return found


def _packed(rows: list[list[int]], n_bits: int) -> NDArray[np.uint8]:
    bits = np.zeros((len(rows), n_bits), np.bool_)
    for row, places in enumerate(rows):
        bits[row, places] = True
    return np.packbits(bits, axis=1)
