"""Rescoring: what the bits have found, in the order of float scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..inputs.vectors import Rescoring, vectors_of
from ..matches import MISSING_ID, MISSING_SCORE, ScoredMatches
from ..segments.snapshot import Snapshot
from ..support.interrupts import interruptible
from .searching import Radii, Search

AT_ONCE = 2**25  # bytes of candidates
SORTING = 64  # bytes that sorting one takes, about as long as NumPy calls on them
LAST = np.iinfo(np.int64).max


def rescored(
    search: Search, snapshot: Snapshot, queries: NDArray[np.uint8], k: int, radii: Radii, rescoring: Rescoring
) -> ScoredMatches:
    """The ``k`` best of ``oversample * k`` nearest codes of each query (n, code_size), or of one (code_size,)."""
    wide = min(k * rescoring.oversample, max(snapshot.n_codes, 1))
    near = np.atleast_2d(search.nearest(snapshot, queries, wide, radii)[0].ids)
    scores, ids = np.full((len(near), k), MISSING_SCORE, np.float32), np.full((len(near), k), MISSING_ID, np.int64)
    size = snapshot.code_size if rescoring.vectors is None else 4 * rescoring.vectors.shape[1]
    step = max(1, AT_ONCE // (wide * max(size, SORTING)))
    for begin in range(0, len(near) if snapshot.n_codes else 0, step):
        some = slice(begin, begin + step)
        found = _scores(search, snapshot, near[some], rescoring.queries[some], rescoring.vectors)
        best = _best(found, near[some], k)
        scores[some, : best.shape[1]] = np.take_along_axis(found, best, axis=1)
        ids[some, : best.shape[1]] = np.take_along_axis(near[some], best, axis=1)
    return ScoredMatches(scores[0], ids[0]) if queries.ndim == 1 else ScoredMatches(scores, ids)


def _best(scores: NDArray[np.float32], ids: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The places of the ``k`` best of each query's (n_queries, n), fewer of fewer."""
    by_id = np.where(ids == MISSING_ID, LAST, ids)
    return interruptible(lambda: np.lexsort((by_id, -scores), axis=1)[:, :k], SORTING * scores.size)


def _scores(
    search: Search,
    snapshot: Snapshot,
    ids: NDArray[np.int64],
    queries: NDArray[np.float32],
    vectors: NDArray[np.generic] | None,
) -> NDArray[np.float32]:
    """The score of each id (n_queries, n), that of the missing among them."""
    here = ids != MISSING_ID
    if vectors is None:
        codes = np.zeros((*ids.shape, snapshot.code_size), np.uint8)
        codes[here] = interruptible(lambda: snapshot.codes_of(ids[here]), codes.nbytes)
        scores = search.engine.score_codes(codes, queries, search.n_threads)
    else:
        rows = np.zeros((*ids.shape, vectors.shape[1]), np.float32)
        rows[here] = interruptible(lambda: vectors_of(vectors, ids[here]), rows.nbytes)
        scores = search.engine.score_vectors(rows, queries, search.n_threads)
    scores[~here] = MISSING_SCORE
    return scores
