"""The index: add codes, find every one within a radius or the k nearest, exactly."""

from __future__ import annotations

from .changes import Changes
from .durable import Durable
from .files import Files
from .grouping import Grouping
from .pairing import Pairing
from .reading import Reading
from .searches import Searches


class HashIndex(Changes, Reading, Searches, Pairing, Grouping, Files, Durable):
    """Exact Hamming search over packed binary codes.

    Every method, engine, ISA and number of threads gives the same answer, ordered by (distance, id). Searches may
    run in many threads while one thread adds or removes: each sees one consistent state.

    Parameters
    ----------
    n_bits : int, optional
        Bits of a code, 1 to 65,536. Default: inferred from the first codes added.
    engine : str or Engine, optional
        ``"native"``, ``"numba"`` or ``"numpy"``. Default: ``HASHINDEX_ENGINE``, else the fastest installed.
    meta : dict, optional
        A JSON object that says what the codes are, such as ``{"encoder": "name", "version": 2}``: at most 1 MiB. It is
        kept in files and pickles, and compared when two indexes are joined.

    Raises
    ------
    TypeError, ValueError
        ``n_bits`` is no integer or out of range; the engine is unknown; ``meta`` is no JSON object.
    ImportError
        The engine is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import hashindex as hx
    >>> index = hx.HashIndex(n_bits=64)
    >>> ids = index.add(np.arange(1000, dtype=np.uint64))
    >>> hits = index.search(np.uint64(7), radius=1)
    >>> hits.distances[:3], hits.ids[:3]
    (array([0, 1, 1], dtype=int32), array([7, 3, 5]))
    """
