"""How many distinct codes there are is estimated alike with the native core and without it, and about right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from hashindex.segments import postings
from hashindex.segments.postings import estimate_distinct, sampled_distinct
from hashindex.support.native import core

KINDS = ("uniform", "skewed", "duplicates", "equal")


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.sampled_from((0, 1, 2, 300, 8191, 8192, 8193, 20_000)),
    n_bits=st.integers(1, 130) | st.sampled_from((7, 8, 64, 65)),
    kind=st.sampled_from(KINDS),
)
@settings(max_examples=50, deadline=None)
def test_as_many_as_without_the_native_core(seed: int, n: int, n_bits: int, kind: str) -> None:
    if core is None:
        pytest.skip("needs the C++ extension")
    codes = reference.random_codes(np.random.default_rng(seed), n, n_bits, kind)
    for some in (codes, codes[::-1]):
        assert core.estimate_distinct(np.ascontiguousarray(some)) == estimate_distinct(some) == sampled_distinct(some)


@pytest.mark.parametrize("n_values", [1, 2, 40_000, 100_000])
def test_a_value_that_is_sampled_and_held_by_many(n_values: int, rng: np.random.Generator) -> None:
    if core is None:
        pytest.skip("needs the C++ extension")
    values = rng.integers(0, 256, (n_values, 8), dtype=np.uint8)
    values[0] = 0  # whose hash is 0
    codes = np.concatenate([values, np.zeros((300_000, 8), np.uint8), values])
    found = core.estimate_distinct(codes)
    assert found == sampled_distinct(codes)
    assert n_values < 100 or 0.95 < found / n_values < 1.05


@pytest.mark.parametrize("native", [core, None] if core else [None])
@pytest.mark.parametrize("n_values", [1, 5000, 100_000])
def test_estimate_is_about_right(
    native: object, n_values: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "core", native)
    values = rng.integers(0, 256, (n_values, 9), dtype=np.uint8)
    found = estimate_distinct(np.repeat(values, 3, axis=0))
    assert 0.95 * n_values <= found <= 1.05 * n_values or n_values == 1
