"""Pairs of near codes: in an index, and between an index and other codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..inputs.codes import as_codes
from ..inputs.meta import same_meta
from ..inputs.numbers import check_radius
from ..search.pairs import Pairs, join, self_join
from ..support.progress import Progress, check_progress
from .state import Ids, Method, State


class Pairing(State):
    """Joins."""

    def pairs(
        self,
        radius: int,
        *,
        allow: Ids | None = None,
        deny: Ids | None = None,
        method: Method = "auto",
        n_threads: int | None = None,
        progress: Progress = False,
    ) -> Iterator[Pairs]:
        """Find all pairs of codes in the index within ``radius``: near-duplicates, each pair once.

        Parameters
        ----------
        radius : int
            Largest distance, inclusive.
        allow, deny, method, n_threads
            As for :meth:`search`; allowed are pairs of which both codes are.
        progress
            As for :meth:`components`; told while the iterator goes on, by the thread that asks it to.

        Returns
        -------
        iterator of Pairs
            Blocks of ``ids_a`` < ``ids_b`` (int64) and ``distances`` (int32), in no particular order: about a million
            pairs, four million at most unless a single code has more. They are of the index as it was at the call.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`.
        ImportError
            ``progress=True`` without tqdm.
        """
        snapshot = self._only(allow, deny)
        how = self._how(method, n_threads)
        radius = check_radius(radius)
        check_progress(progress)
        return self_join(snapshot, how, min(radius, snapshot.n_bits or 0), progress)

    def join(
        self,
        codes: Any,
        radius: int,
        *,
        allow: Ids | None = None,
        deny: Ids | None = None,
        method: Method = "auto",
        n_threads: int | None = None,
    ) -> Iterator[Pairs]:
        """Find all pairs of a code in the index and one of ``codes`` within ``radius``, each once.

        Parameters
        ----------
        codes : array_like or HashIndex
            As the codes of :meth:`add`; or another index of the same width.
        radius, method, n_threads
            As for :meth:`pairs`.
        allow, deny
            As for :meth:`search`, of the codes of this index.

        Returns
        -------
        iterator of Pairs
            ``ids_a`` are ids in this index, ``ids_b`` rows of ``codes`` (ids, if it is an index).

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`; indexes of different ``meta``, neither of which is empty.
        """
        snapshot = self._only(allow, deny)
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
