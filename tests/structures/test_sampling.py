"""What is found out about a sample is the same with the native core and without it, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from hashindex.structures import sampling
from hashindex.structures.multi_index import layout
from hashindex.support.native import core

KINDS = ("uniform", "skewed", "duplicates", "equal")


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.sampled_from((0, 1, 2, 7, 8, 63, 65, 300, 1023, 2047, 2500)),
    n_bits=st.integers(1, 1100) | st.sampled_from((1, 7, 8, 64, 65, 256, 1024)),
    kind=st.sampled_from(KINDS),
    n_distinct=st.integers(1, 10**8),
)
@settings(max_examples=150, deadline=None)
def test_bits_are_dealt_as_without_the_native_core(seed: int, n: int, n_bits: int, kind: str, n_distinct: int) -> None:
    if core is None:
        pytest.skip("needs the C++ extension")
    codes = reference.random_codes(np.random.default_rng(seed), n, n_bits, kind)
    n_tables, width = layout.shape(n_bits, n_distinct)
    masks = layout.deal(codes, n_bits, n_distinct).masks
    expected = layout.dealt(codes, max(1, n // layout.SAMPLE), n_bits, n_tables, width)
    assert masks.dtype == expected.dtype
    np.testing.assert_array_equal(masks, expected)


@pytest.mark.parametrize("native", [core, None] if core else [None])
def test_distances_between_all_pairs(native: object, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "core", native)
    for n, m, code_size in [(0, 3, 8), (3, 0, 8), (1, 1, 1), (20, 33, 7), (17, 70, 8), (40, 5, 31), (5, 100, 136)]:
        a, b = (rng.integers(0, 256, (rows, code_size), dtype=np.uint8) for rows in (n, m))
        found = sampling.distances_between(a[::-1], b)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, reference.hamming_matrix(a[::-1], b))


@pytest.mark.parametrize("native", [core, None] if core else [None])
def test_differences_of_keys_are_those_of_masked_codes(
    native: object, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "core", native)
    for n, code_size, n_masks in [(1, 8, 1), (33, 1, 2), (70, 7, 3), (64, 32, 0), (300, 136, 4)]:
        codes = rng.integers(0, 256, (n, code_size), dtype=np.uint8)
        masks = np.zeros((n_masks, code_size), np.uint8)
        for mask in masks:
            mask[rng.integers(code_size, size=4)] = rng.integers(256)
        for rows in ([0], [n - 1, 0, n // 2, 0, n - 1]):
            found = sampling.key_differences(codes, np.array(rows), masks)
            assert found.dtype == np.int64
            assert found.shape == (n_masks, 33)
            for counts, mask in zip(found, masks, strict=True):
                apart = reference.hamming_matrix(codes[rows] & mask, codes & mask)
                np.testing.assert_array_equal(counts, np.bincount(apart.ravel(), minlength=33))
