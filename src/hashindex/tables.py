"""The tables of multi-index hashing: how bits are dealt to them and how far each must look."""

from __future__ import annotations

from math import ceil, comb, log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_TABLES = 16
MAX_WIDTH = 24  # a directory of 2**24 + 1 offsets is 64 MB
MAX_TABLE_CODES = 2**32 - 1  # rows are uint32


class Tables(NamedTuple):
    """One bucket partition of the same rows per table, as flat arrays.

    Table t groups rows by ``widths[t]`` code bits from bit ``starts[t]`` on (bit 0 = most significant bit of
    byte 0), read as a big-endian integer: the key. Rows of key b are
    ``rows[t, offsets[first + b] : offsets[first + b + 1]]``, ascending, where ``first`` is the sum of
    ``2**widths[u] + 1`` over the tables u < t.
    """

    starts: NDArray[np.int32]  # (n_tables,)
    widths: NDArray[np.int32]  # (n_tables,)
    offsets: NDArray[np.uint32]  # (sum of 2**widths + 1,)
    rows: NDArray[np.uint32]  # (n_tables, n_codes)


def layout(n_bits: int, n_codes: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """First bit and width of each table's key for ``n_codes`` codes of ``n_bits`` bits.

    About n_bits / log2(n_codes) disjoint substrings (Norouzi, Punjani, Fleet: Fast Exact Search in Hamming
    Space with Multi-Index Hashing, section 4), each addressed by at most log2(n_codes) of its bits so that a
    bucket holds about one code. The pigeonhole argument needs the addressed bits to be disjoint, not complete.
    """
    bits_per_key = max(1, min(int(log2(max(n_codes, 2))), MAX_WIDTH))
    n_tables = min(ceil(n_bits / bits_per_key), MAX_TABLES, n_bits)
    edges = np.linspace(0, n_bits, n_tables + 1).astype(np.int32)
    return edges[:-1], np.minimum(np.diff(edges), bits_per_key).astype(np.int32)


def thresholds(radius: int, widths: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many key bits may differ in each table so that no code within ``radius`` is missed; -1 = skip it.

    General pigeonhole (Qin et al.: GPH, ICDE 2018): if ``sum(t_j + 1) = radius + 1``, a code that exceeds
    t_j in every table differs in at least ``sum(t_j + 1) > radius`` bits. Looking into every bucket of one
    table is complete for any radius; that is the answer when the even split would look up more buckets.
    """
    share, remainder = divmod(radius + 1, len(widths))
    allowed = np.full(len(widths), share - 1, np.int32)
    allowed[:remainder] += 1
    narrowest = int(np.argmin(widths))
    whole = int(widths[narrowest])
    if (allowed >= widths).any() or lookups(allowed, widths) > 2**whole:
        allowed[:] = -1
        allowed[narrowest] = whole
    return allowed


def lookups(allowed: NDArray[np.int32], widths: NDArray[np.int32]) -> int:
    """Buckets one query looks into: the sum over tables of the keys within ``allowed[t]`` flips."""
    return sum(
        comb(width, flips)
        for threshold, width in zip(allowed.tolist(), widths.tolist(), strict=True)
        for flips in range(threshold + 1)
    )
