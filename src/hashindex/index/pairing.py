"""Pairs of near codes: in an index, and between an index and other codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..inputs.codes import as_codes
from ..inputs.meta import same_meta
from ..inputs.numbers import check_radius
from ..search.pairs import Pairs, join, self_join
from .state import Method, State


class Pairing(State):
    """Joins."""

    def pairs(self, radius: int, *, method: Method = "auto", n_threads: int | None = None) -> Iterator[Pairs]:
        """Find all pairs of codes in the index within ``radius``: near-duplicates, each pair once.

        Parameters
        ----------
        radius : int
            Largest distance, inclusive.
        method, n_threads
            As for :meth:`search`.

        Returns
        -------
        iterator of Pairs
            Blocks of ``ids_a`` < ``ids_b`` (int64) and ``distances`` (int32), in no particular order: about a million
            pairs, four million at most unless a single code has more. They are of the index as it was at the call.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`.
        """
        snapshot = self._snapshot
        how = self._how(method, n_threads)
        radius = check_radius(radius)
        return self_join(snapshot, how, min(radius, snapshot.n_bits or 0))

    def join(
        self, codes: Any, radius: int, *, method: Method = "auto", n_threads: int | None = None
    ) -> Iterator[Pairs]:
        """Find all pairs of a code in the index and one of ``codes`` within ``radius``, each once.

        Parameters
        ----------
        codes : array_like or HashIndex
            As the codes of :meth:`add`; or another index of the same width.
        radius, method, n_threads
            As for :meth:`pairs`.

        Returns
        -------
        iterator of Pairs
            ``ids_a`` are ids in this index, ``ids_b`` rows of ``codes`` (ids, if it is an index).

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`; indexes of different ``meta``, neither of which is empty.
        """
        snapshot = self._snapshot
        how = self._how(method, n_threads)
        radius = check_radius(radius)
        ids = None
        if isinstance(codes, State):
            if codes.n_bits is not None and snapshot.n_bits not in (None, codes.n_bits):
                raise ValueError(f"an index of {snapshot.n_bits} bits cannot be joined with one of {codes.n_bits}")
            same_meta(self._meta, codes._meta)
            rows, ids = codes._snapshot.all_codes()
        else:
            rows = as_codes(codes, snapshot.n_bits, "codes").codes.copy()  # the caller may change theirs
        blocks = join(snapshot, how, rows, min(radius, snapshot.n_bits or 0)) if snapshot.n_codes else iter(())
        return blocks if ids is None else (block._replace(ids_b=ids[block.ids_b]) for block in blocks)
