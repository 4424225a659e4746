"""An index with the calls and the conventions of faiss's binary indexes."""

from __future__ import annotations

from operator import index as as_int
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..index import HashIndex
from ..inputs.ids import as_ids
from ..inputs.numbers import check_integer, check_n_bits
from ..support.interrupts import interruptible

STEP = 2**14  # numbers converted at once, in the cache


class FaissBinaryIndex:
    """An exact index with the calls and the conventions of faiss's binary indexes, over a :class:`HashIndex`.

    Made with a width it is an ``IndexBinaryFlat``: ids are places, and codes behind a removed one move up. From the
    first :meth:`add_with_ids` on, and around an index of yours, it is an ``IndexBinaryIDMap2``: ids stay.

    What is wrong is refused as by the calls of `HashIndex`: TypeError, ValueError, and OSError where a store cannot be
    written.

    Parameters
    ----------
    index : int or HashIndex
        Bits of a code, a multiple of 8; or an index to be called in this way, which goes on being yours.

    Attributes
    ----------
    index : HashIndex
        What does the work. Where ids are places it is another one after :meth:`remove_ids` and :meth:`reset`.
    is_flat : bool
        Whether ids are places.
    is_trained, metric_type
        True and 1, as faiss has them.

    Raises
    ------
    TypeError, ValueError
        The width is no integer, out of range or no multiple of 8; the index does not know its width yet.

    Examples
    --------
    >>> import numpy as np
    >>> from hashindex.connect.faiss import FaissBinaryIndex
    >>> index = FaissBinaryIndex(64)
    >>> index.add(np.arange(800, dtype=np.uint8).reshape(100, 8))
    >>> D, I = index.search(index.reconstruct_n(0, 2), 1)
    """

    is_trained = True
    metric_type = 1

    def __init__(self, index: int | HashIndex) -> None:
        self.is_flat = not isinstance(index, HashIndex)
        if isinstance(index, HashIndex):
            if index.n_bits is None:
                raise ValueError("the index has no width yet; HashIndex(n_bits=...) has one from the beginning")
            self.index = index
            return
        n_bits = check_n_bits(index)
        if n_bits % 8:
            raise ValueError(
                f"faiss has codes of whole bytes, got {n_bits} bits; {n_bits + -n_bits % 8} have the same distances if "
                f"the last are 0, and FaissBinaryIndex(HashIndex({n_bits})) checks that they are"
            )
        self.index = HashIndex(n_bits)

    @property
    def d(self) -> int:
        """Bits of a code, those that pad the last byte included."""
        return 8 * self.code_size

    @property
    def code_size(self) -> int:
        """Bytes of a code."""
        return self.index.code_size or 0

    @property
    def ntotal(self) -> int:
        """How many codes there are."""
        return len(self.index)

    def train(self, x: Any) -> None:
        """Do nothing: there is nothing to train."""
        _rows(x)

    def add(self, x: Any) -> None:
        """Add codes (n, code_size), packed uint8, under the next places or, where ids stay, the next ids."""
        self.index.add(_rows(x))

    def add_with_ids(self, x: Any, ids: Any) -> None:
        """Add codes (n, code_size) under ``ids`` (n,) of your own, which stay from now on.

        ValueError for negative ones, one that is given twice, and one that is in the index.
        """
        if ids is None:
            raise TypeError("add_with_ids needs the ids; add() counts them")
        self.index.add(_rows(x), ids=ids)
        self.is_flat = False

    def search(self, x: Any, k: int, *, params: Any = None) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Find the k nearest codes of each query.

        Parameters
        ----------
        x : array_like
            Queries, as the codes of :meth:`add`.
        k : int
            At least 1.
        params : faiss.SearchParameters, optional
            Its ``sel`` is asked for every id, which is slow; ``index.search(x, k, allow=ids)`` of :attr:`index` is
            fast. What else it may say is about speed.

        Returns
        -------
        D : int32 array of shape (n, k)
            Distances, ascending; 2147483647 where there are no more.
        I : int64 array of shape (n, k)
            Ids, by (distance, id); -1 where there are no more.
        """
        return self.index.search(_rows(x), k, allow=self._allowed(params))

    def assign(self, x: Any, k: int, labels: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the ids that :meth:`search` finds, (n, k), written into ``labels`` if given."""
        ids = self.search(x, k)[1]
        if labels is None:
            return ids
        labels[...] = ids
        return labels

    def range_search(
        self, x: Any, radius: int, *, params: Any = None
    ) -> tuple[NDArray[np.uint64], NDArray[np.float32], NDArray[np.int64]]:
        """Find all codes at a distance **below** ``radius``, as faiss does.

        Parameters
        ----------
        x : array_like
            Queries, as the codes of :meth:`add`.
        radius : int
            One more than the radius of :meth:`HashIndex.search`; below 1 there is nothing.
        params : faiss.SearchParameters, optional
            As for :meth:`search`.

        Returns
        -------
        lims : uint64 array of shape (n + 1,)
            The matches of query i are ``I[lims[i]:lims[i + 1]]``.
        D : float32 array
            Distances.
        I : int64 array
            Ids; those of a query by (distance, id).
        """
        radius = max(check_integer(radius, "radius"), 0)
        allow = self._allowed(params) if radius else np.empty(0, np.int64)
        found = self.index.search(_rows(x), radius=max(radius - 1, 0), allow=allow)
        return found.offsets.view(np.uint64), _as_floats(found.distances), found.ids

    def remove_ids(self, x: Any) -> int:
        """Remove codes, and return how many. Where ids are places, the codes that are left are copied.

        Parameters
        ----------
        x : array_like of int, shape (n,), or faiss.IDSelector
            Ids that are not in the index are ignored. A selector is asked for every id.
        """
        ids = self._chosen(x)
        if not self.is_flat:
            return self.index.remove(ids, missing="ignore")
        kept = np.ones(self.ntotal, np.bool_)
        kept[ids[ids < len(kept)]] = False
        if not kept.all():
            left = HashIndex(self.d)
            left.add(interruptible(lambda: self.index.get(np.flatnonzero(kept)), kept.size * self.code_size))
            self.index = left
        return int(np.count_nonzero(~kept))

    def reconstruct(self, key: int) -> NDArray[np.uint8]:
        """Return the code of an id, (code_size,); RuntimeError, as in faiss, for one that is not there."""
        return self._codes(as_int(key))

    def reconstruct_n(self, n0: int = 0, ni: int = -1) -> NDArray[np.uint8]:
        """Return the codes of the ids ``n0`` to ``n0 + ni - 1``, (ni, code_size); of -1 from ``n0`` to the last.

        Raises RuntimeError, as faiss's id maps, for an id that is not there.
        """
        n0 = as_int(n0)
        return self._codes(np.arange(n0, self.ntotal if ni == -1 else n0 + as_int(ni)))

    def reset(self) -> None:
        """Remove all codes."""
        if self.is_flat:
            self.index = HashIndex(self.d)
        else:
            self.index.clear()

    def _allowed(self, params: Any) -> NDArray[np.int64] | None:
        selector = getattr(params, "sel", None)
        return None if selector is None else self._chosen(selector)

    def _chosen(self, x: Any) -> NDArray[np.int64]:
        """The ids that are meant by a selector, or by an array without its negative ones."""
        if hasattr(x, "is_member"):
            return np.array([one for one in self.index.ids().tolist() if x.is_member(one)], np.int64)
        given = np.asarray(x)
        return as_ids(given[given >= 0] if given.ndim == 1 else given)

    def _codes(self, ids: int | NDArray[np.int64]) -> NDArray[np.uint8]:
        try:
            return self.index.get(ids)
        except (KeyError, ValueError) as error:
            raise RuntimeError(error.args[0]) from None


def _rows(x: Any) -> Any:
    if getattr(x, "ndim", 2) != 2:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (n, code_size); x[None] makes a batch of one code")
    return x


def _as_floats(distances: NDArray[np.int32]) -> NDArray[np.float32]:
    """The numbers of an array that nobody else has, in its memory: to get more takes longer than to convert them."""
    floats = distances.view(np.float32)
    for begin in range(0, len(distances), STEP):
        floats[begin : begin + STEP] = distances[begin : begin + STEP]
    return floats
