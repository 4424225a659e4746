"""Several segments as one: the rows that are left, in the order of their ids."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hashindex.segments import joining
from hashindex.segments.postings import collapse
from hashindex.segments.segment import Segment
from reference import random_codes

N_BITS = 40


@pytest.mark.parametrize("seed", range(12))
def test_rows_that_are_left_in_id_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted on or not, between each other or not, with equal codes or not, removed or not."""
    monkeypatch.setattr(joining, "STEP", 7)
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, size=4)
    ids = np.arange(5, 5 + sizes.sum()) if seed % 3 else np.sort(rng.choice(1000, sizes.sum(), replace=False))
    if seed % 2:
        ids = rng.permutation(ids)
    parts, left = [], {}
    for own in np.split(ids, np.cumsum(sizes)[:-1]):
        codes = random_codes(rng, len(own), N_BITS, str(rng.choice(["uniform", "duplicates"])))
        segment = Segment.of(N_BITS, codes, np.sort(own))
        if rng.random() < 0.5:
            segment = collapsed(segment)
        gone = rng.permutation(len(own))[: rng.integers(0, len(own)) * rng.integers(2)]
        parts.append(segment.marked(gone) if len(gone) else segment)
        left.update({i: code for at, (i, code) in enumerate(zip(np.sort(own), codes, strict=True)) if at not in gone})
    told: list[int] = []
    one = joining.joined(parts, told.append)
    codes, kept = one.live()
    assert kept.tolist() == sorted(left)
    assert np.array_equal(codes, [left[i] for i in sorted(left)])
    assert told[-1] == len(left)
    assert one.removed is None
    assert (one.ids is None) == (kept[-1] - kept[0] == len(kept) - 1)


def collapsed(segment: Segment) -> Segment:
    """With postings, which segments of so few codes do not have."""
    codes, postings = collapse(segment.codes)
    return replace(segment, codes=codes, n_distinct=len(codes), postings=postings)


def test_counted_ids_are_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = random_codes(np.random.default_rng(0), 30, N_BITS, "uniform")
    parts = [Segment.of(N_BITS, codes[at : at + 10], np.arange(at, at + 10)) for at in (20, 0, 10)]

    def asked(*_: Any) -> None:
        raise AssertionError("ids were asked for")

    monkeypatch.setattr(Segment, "ids_of", asked)
    one = joining.joined(parts)
    assert (one.first_id, one.ids) == (0, None)
    assert np.array_equal(one.codes, codes)
