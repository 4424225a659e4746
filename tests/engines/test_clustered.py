"""Codes are put into clusters alike with the native core and without it."""

from __future__ import annotations

import numpy as np
import pytest

from hashindex.engines.clusters import clustered, sorted_into_clusters
from hashindex.support.native import core


@pytest.mark.parametrize("code_size", [1, 8, 33])
@pytest.mark.parametrize(("n", "n_clusters"), [(0, 3), (1, 1), (2000, 1), (2000, 50), (30, 400)])
def test_by_cluster_distance_and_row(rng: np.random.Generator, code_size: int, n: int, n_clusters: int) -> None:
    codes = rng.integers(0, 256, (n, code_size), dtype=np.uint8)
    centroids = rng.integers(0, 256, (n_clusters, code_size), dtype=np.uint8)
    of = rng.integers(0, n_clusters, n) // 2 * 2 % n_clusters  # some have no codes
    distances = rng.integers(0, 8 * code_size + 1, n).astype(np.int32)
    both = clustered(codes, centroids, of, distances), sorted_into_clusters(codes, centroids, of, distances)
    for ours, theirs in zip(*([np.asarray(array) for array in each] for each in both), strict=True):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)
    assert np.array_equal(both[0].rows, np.lexsort((np.arange(n), distances, of)))


@pytest.mark.skipif(core is None, reason="without the native core nothing is asked of it")
@pytest.mark.parametrize(("of", "distance"), [(2, 0), (-1, 0), (0, -1), (0, 9)])
def test_what_no_code_can_be_is_refused(of: int, distance: int) -> None:
    with pytest.raises(ValueError, match="a row of no group|a code at no distance"):
        core.cluster_codes(np.zeros((1, 1), np.uint8), np.array([of]), np.array([distance], np.int32), 2)
