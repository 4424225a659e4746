"""Neighbours of the codes of an index itself, each without itself."""

from __future__ import annotations

import numpy as np

from ..matches import NearestMatches, RadiusMatches, in_one_row


def nearest_others(near: NearestMatches) -> NearestMatches:
    """Return the k nearest of the other codes, given the k + 1 nearest of the codes with ids 0, 1, ... n - 1.

    Among many equal codes a code itself may not be one of its k + 1 nearest: then the last is one too many.
    """
    n_queries, k = near.ids.shape
    other = near.ids != np.arange(n_queries)[:, None]
    other[other.all(axis=1), -1] = False
    return NearestMatches(near.distances[other].reshape(n_queries, k - 1), near.ids[other].reshape(n_queries, k - 1))


def others_within(hits: RadiusMatches) -> RadiusMatches:
    """Return the other codes within the radius, given all within it of the codes with ids 0, 1, ... n - 1."""
    query, _, ids = in_one_row(hits)
    other = ids != query
    return RadiusMatches(hits.offsets - np.arange(len(hits.offsets)), hits.distances[other], hits.ids[other])
