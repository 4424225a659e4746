"""What elementary steps of searches cost: constants that predictions are made of. No answer depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

FEW = 4  # queries that are not worth a batch
TURN_BYTE = 0.1  # nanoseconds in which a byte of codes is turned into planes or slices
TURNED_FOR = 128  # queries at once, at the most
MOST_TURNED = 16_384  # bits of a code that is turned: most_plane_bytes of csrc/kernels/kernel.h
WRITTEN = 3  # bytes that are read in the time of writing one to new memory
APART = 200.0  # bytes that are streamed in the time of one code from anywhere behind the cache, asked for ahead
SMALL, LARGE = 2**14, 2**21  # codes of the tables measured: in the second-level cache, and beyond


def folding(shape: tuple[int, int], widths: list[int]) -> int:
    """Bytes that are read in the time in which codes of the ``shape`` (n, code_size) are folded to so many words."""
    n_codes, code_size = shape
    return n_codes * (code_size + 8 * WRITTEN * sum(widths))


@dataclass(frozen=True)
class Costs:
    """Nanoseconds, on one thread; ``probe`` interpolates between sizes.

    The defaults were measured on one Zen 5 core with AVX-512, but for those of a lone query and of a call, which are
    estimates.
    """

    scan_code: float = 0.01  # a code against a query, in a batch
    scan_word: float = 0.025  # and each of its words
    lone_code: float = 0.15  # a code against a lone query, in the cache
    lone_word: float = 0.1  # and each of its words
    chunk: float = 0.0  # bytes of codes after which a batch leaves those that are too far; 0: it reads them whole
    stream_byte: float = 0.027  # a byte of codes for a lone query, from behind the cache
    cached: float = 2.0**24  # bytes of codes that stay in the cache from one lone query to the next
    call: float = 1000.0  # a search of one segment, whatever it does
    lookup: tuple[float, float] = (2.0, 6.0)  # a bucket visited, for SMALL and LARGE
    copy: tuple[float, float] = (0.3, 0.6)  # a candidate with a copy
    row: tuple[float, float] = (2.0, 6.0)  # a candidate without
    run: float = 40.0  # a run of a cluster entered
    shell: float = 100.0  # a table widened by one flip, for a lone query
    build: float = 6.0  # a row of a table
    sift: float = 4.8  # a code looked at because its fold is near
    fold: float = 0.05  # a byte read to be folded
    look: float = 1.0  # times as long as on that core, the first look at a sample of codes
    turned: float = FEW + 1.0  # queries of a batch from which on it leaves codes, where it does
    eager: float = 1.0  # whether it turns them whole beforehand, 1, or only what it reads of them, 0
    warm: float = 1.0  # share of ``near`` that a code takes which the query before has just looked at

    def missing(self, n_bytes: int) -> float:
        """Which share of so many bytes is not in the cache any more when a lone query comes by the next time.

        What finds no room pushes out what would be read next: of twice as many bytes as fit, nothing is left.
        """
        return min(max(2 * (1 - self.cached / max(n_bytes, 1)), 0.0), 1.0)

    def apart(self, n_bytes: int) -> float:
        """What memory takes for a code from anywhere among so many bytes, beyond the work with it."""
        return self.missing(n_bytes) * self.stream_byte * APART

    def near(self, words: int) -> float:
        """A code in the cache against a lone query."""
        return self.lone_code + words * self.lone_word

    def lone(self, n_codes: int, words: int) -> float:
        """A code of so many against a lone query: as many come from behind the cache as are missing in it."""
        near, size = self.near(words), 8 * words
        return near + max(size * self.stream_byte - near, 0.0) * self.missing(n_codes * size)

    def scan(self, n_codes: int, n_bits: int, n_queries: int, read: float = 1.0) -> float:
        """One query of ``n_queries`` by a scan of all codes, of which a batch reads a share."""
        words = (n_bits + 63) // 64
        n = max(1, n_queries)
        batched = self.scan_code + words * self.scan_word * read
        near = self.near(words)
        lone = near + (self.lone(n_codes, words) - near) / n  # a few queries read the codes one by one, the first far
        if n <= FEW:
            each = lone
        elif self.turns(n_bits, n):
            size, turning = 8 * words, (read + self.eager * (1 - read)) * TURN_BYTE
            fetching = self.stream_byte * self.missing(n_codes * size)
            each = batched + size * (fetching + turning) / min(n, TURNED_FOR)
            if read < 1:
                each += self.scan_word  # counts are put away and taken up again
        else:
            each = lone + min((n - FEW) / 12, 1.0) * (batched - lone)
        return n_codes * each + self.call / n

    def turns(self, n_bits: int, n_queries: int) -> bool:
        """Whether codes of ``n_bits`` are turned for so many queries, and left by those that are too far."""
        return self.chunk > 0 and n_queries >= self.turned and n_bits <= MOST_TURNED

    def probe(self, n_codes: int, n_bits: int, copied: bool) -> tuple[float, float]:
        """A lookup and a candidate in a table of ``n_codes`` codes, with copies of them or without."""
        words = 1 if copied else (n_bits + 63) // 64
        share = (log2(max(n_codes * words, 2)) - log2(SMALL)) / log2(LARGE / SMALL)
        share = min(max(share, 0.0), 1.1) ** 3  # little is lost until the caches are full
        candidate = self.copy if copied else self.row
        return (
            self.lookup[0] + share * (self.lookup[1] - self.lookup[0]),
            candidate[0] + share * (candidate[1] - candidate[0]),
        )
