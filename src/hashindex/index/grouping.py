"""Groups of near codes in an index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..inputs.numbers import check_radius
from ..search.components import components
from ..search.deduplicate import kept_ids
from ..support.progress import Progress
from .state import Method, State


class Grouping(State):
    """Components, and what is left without near-duplicates."""

    def components(
        self, radius: int, *, method: Method = "auto", n_threads: int | None = None, progress: Progress = False
    ) -> NDArray[np.int64]:
        """Find which codes are connected, directly or over others, by steps within ``radius``.

        Equal codes are searched for once, so any number of them costs no more than sorting them; and where very many
        codes are near each other their pairs are not all gone through. Takes about 100 bytes per code beside up to
        four copies of the codes, and some 300 MB at most for what is found at once, unless a single code has more than
        four million neighbours.

        Parameters
        ----------
        radius : int
            Largest distance of a step, inclusive.
        method, n_threads
            As for :meth:`search`; they change the time, never the answer.
        progress : bool or callable
            True shows a bar, which needs tqdm. A callable is called as ``progress(done, total)`` with numbers of codes,
            by the calling thread, at most 20 times a second, at last with both equal. It must not change the index.

        Returns
        -------
        int64 array of shape (n_codes,)
            For each code, ascending by id, the smallest id of its component.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`search`; ``progress`` is neither.
        ImportError
            ``progress=True`` without tqdm.
        """
        snapshot = self._snapshot
        how = self._how(method, n_threads)
        radius = check_radius(radius)
        return components(snapshot, how, min(radius, snapshot.n_bits or 0), progress)

    def deduplicate(
        self, radius: int, *, method: Method = "auto", n_threads: int | None = None, progress: Progress = False
    ) -> NDArray[np.int64]:
        """Find which codes to keep so that every code is within ``radius`` of one kept, and no two kept are.

        Goes through the ids upwards; a code is kept unless it is within ``radius`` of one kept before. So nothing
        is dropped for the sake of what was dropped itself, as it may be in a component. The index is not changed.

        About one search for each code kept: what is dropped is seldom searched for, and equal codes never. Takes memory
        as :meth:`components` does.

        Parameters
        ----------
        radius : int
            Largest distance, inclusive, at which the later of two codes is dropped.
        method, n_threads, progress
            As for :meth:`components`.

        Returns
        -------
        int64 array of shape (n_kept,)
            The ids to keep, ascending.

        Raises
        ------
        TypeError, ValueError, ImportError
            As for :meth:`components`.
        """
        snapshot = self._snapshot
        how = self._how(method, n_threads)
        radius = check_radius(radius)
        return kept_ids(snapshot, how, min(radius, snapshot.n_bits or 0), progress)
