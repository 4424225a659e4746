"""How far neighbours are: told by a larger segment about as well as by looking again."""

from __future__ import annotations

import numpy as np
import pytest

from hashindex.segments import spread
from hashindex.segments.spread import spread_of
from hashindex.support.native import core
from reference import random_codes


@pytest.mark.parametrize("kind", ["uniform", "duplicates"])
@pytest.mark.parametrize("part", [1, 2, 4, 16])
def test_part_of_the_codes_has_farther_neighbours(kind: str, part: int, rng: np.random.Generator) -> None:
    codes = random_codes(rng, 32_000, 64, kind)
    whole, looked = spread_of(codes), spread_of(codes[rng.permutation(len(codes))[: len(codes) // part]])
    assert whole is not None
    assert looked is not None
    told = whole.thinned(1 / part)
    assert 0 < told.share <= 1
    for k in (1, 10, 100):
        assert abs(np.median(told.limits(k)) - np.median(looked.limits(k))) <= 3, k
        assert np.median(told.limits(k)) >= np.median(whole.limits(k)) - 1, k


@pytest.mark.skipif(core is None, reason="needs the C++ extension")
@pytest.mark.parametrize("kind", ["uniform", "skewed", "duplicates", "equal"])
def test_the_same_without_the_native_core(kind: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    for n, n_bits in [(2, 64), (3, 8), (17, 65), (1025, 64), (40_000, 64), (300, 1000)]:
        codes = random_codes(rng, n, n_bits, kind)
        with monkeypatch.context() as patch:
            found = spread_of(codes)
            patch.setattr(spread, "core", None)
            expected = spread_of(codes)
        assert found is not None
        assert expected is not None
        np.testing.assert_array_equal(found.distances, expected.distances)
        assert found.share == expected.share
