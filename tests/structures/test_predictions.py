"""What is predicted before anything is looked at, or read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hashindex.engines import load
from hashindex.segments.segment import Segment
from hashindex.segments.snapshot import Snapshot
from hashindex.segments.spread import Spread
from hashindex.structures import STRUCTURES
from hashindex.structures.calibration import DEFAULT, PLANES, SLICES, USUAL
from hashindex.structures.chunks import LEFT_TOGETHER, n_chunks_of, share_read, shares_at
from hashindex.structures.costs import APART, LARGE, SMALL, Costs
from hashindex.structures.multi_index.layout import deal
from hashindex.structures.multi_index.plan import expected_prices
from hashindex.structures.structure import Kind
from hashindex.writing.adding import with_codes


def segment_of(codes: np.ndarray) -> Segment:
    n, size = codes.shape
    snapshot = with_codes(Snapshot.empty(8 * size), 8 * size, codes, np.arange(n), load("numpy"))
    return snapshot.segments[0]


@pytest.mark.parametrize("size", [1, 4, 8, 9, 32, 128])
@pytest.mark.parametrize("share", [0.5, 0.1])  # of the bits that are set
def test_the_least_is_never_more_than_what_is_predicted(size: int, share: float) -> None:
    rng = np.random.default_rng(size)
    segment = segment_of(np.packbits(rng.random((40_000, 8 * size)) < share, axis=1))
    limits = np.unique(np.linspace(0, 8 * size, 40).astype(np.int64))
    for costs in (DEFAULT, *USUAL.values()):
        for k, n_queries in ((None, 1), (None, 500), (10, 1), (10, 500)):
            kind = Kind(k, 8 * size, n_queries, 1, costs, np.inf)
            for structure in STRUCTURES.values():
                if structure.may_serve(segment):
                    least = structure.least(segment, limits, kind)
                    takes = structure.predict(segment, None, limits, kind).nanoseconds
                    assert (least <= takes * (1 + 1e-9)).all(), structure.name


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize(("longest", "together"), [(PLANES, 2), (SLICES, 1)])
def test_the_share_of_chunks_that_is_read(size: int, longest: float, together: int) -> None:
    """Beside the pairs themselves, 256 at a time, as kernels leave them: so many queries and a block of the codes."""
    rng = np.random.default_rng(size)
    segment = segment_of(rng.integers(0, 256, (20_000, size), dtype=np.uint8))
    assert segment.learned.spread is not None
    n_chunks, limits = -(-size // int(longest)), np.array([size // 4, size, 2 * size, 3 * size, 8 * size])
    predicted = share_read(*shares_at(segment.learned.spread), limits, 8 * size, n_chunks)
    n_codes = LEFT_TOGETHER // together
    differ = np.unpackbits(segment.codes[:n_codes, None] ^ segment.codes[None, n_codes : n_codes + 200], axis=2)
    within = np.zeros((n_chunks, len(limits)))
    for chunk in range(n_chunks):
        so_far = differ[:, :, : chunk * differ.shape[2] // n_chunks].sum(axis=2)
        near = (so_far[:, :, None] <= limits).any(axis=0)
        within[chunk] = near.reshape(-1, together, len(limits)).any(axis=1).mean(axis=0)
    np.testing.assert_allclose(predicted, within.mean(axis=0), atol=0.1)


def test_what_a_file_says_of_distances_and_chunks_is_taken_as_it_comes() -> None:
    limits = np.arange(65)
    with np.errstate(all="raise"):  # as the caller may have it
        distances, share = shares_at(Spread(np.full((3, 5000), 9.0), 1.0))
        assert share.sum() == pytest.approx(1)
        for chunk in (5e-324, 0.1, 3.0, 7.0, 1e9):
            read = share_read(distances, share, limits, 64, n_chunks_of(8, Costs(chunk=chunk), 100))
            assert ((read > 0) & (read <= 1)).all()


def test_a_scan_is_predicted_to_be_shorter_where_chunks_are_left() -> None:
    segment = segment_of(np.random.default_rng(0).integers(0, 256, (20_000, 128), dtype=np.uint8))
    limits = np.array([32, 500])
    whole, left = (
        STRUCTURES["scan"].predict(segment, (), limits, Kind(None, 500, 64, 1, costs, 0.0)).nanoseconds
        for costs in (replace(USUAL["AMD, native (avx2)"], chunk=chunk) for chunk in (0.0, SLICES))
    )
    assert whole[0] == whole[1]
    assert left[0] < left[1] / 2


def test_few_queries_read_wide_codes_whole() -> None:
    costs = USUAL["AMD, native (avx2)"]
    assert [n_chunks_of(128, costs, n_queries) for n_queries in (1, 9, 10, 1000)] == [1, 1, 8, 8]
    assert [n_chunks_of(n_bytes, costs, 10) for n_bytes in (2048, 2049)] == [128, 1]  # none so wide is turned
    few, many = (costs.scan(10_000, 1024, n_queries, read=0.5) for n_queries in (9, 10))
    assert few > 1.5 * many  # half of the chunks is left by those that are turned alone


def test_tables_of_middle_size_are_priced_as_what_the_caches_hold() -> None:
    costs = USUAL["AMD, native (avx2)"]
    small, middle, large = (costs.probe(n, 64, copied=True)[0] for n in (SMALL, 2**17, LARGE))
    assert (small, large) == pytest.approx(costs.lookup)
    assert small < middle < small + 0.1 * (large - small)
    assert costs.probe(2**30, 64, copied=True)[0] == costs.probe(2**40, 64, copied=True)[0] > large


def test_what_finds_no_room_in_the_cache_pushes_out_what_is_read_next() -> None:
    costs = Costs(cached=1e6)
    assert [costs.missing(n) for n in (0, 10**6, 4 * 10**6 // 3, 2 * 10**6, 10**9)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert costs.apart(10**6) == 0 < costs.apart(2 * 10**6) == costs.apart(10**9)


def test_large_batches_turn_codes_for_so_many_queries_at_once() -> None:
    costs = Costs(scan_code=0.0, scan_word=1e-6, chunk=16, turned=10, call=0.0)
    few, most, more = (costs.scan(10**6, 1024, n) for n in (64, 128, 1000))
    assert few == pytest.approx(2 * most, rel=0.01)
    assert more == pytest.approx(most, rel=0.01)


def test_slices_turn_only_what_they_read() -> None:
    planes, slices = (Costs(chunk=16, turned=10, cached=1e9, eager=eager, scan_word=1e-6) for eager in (1.0, 0.0))
    whole, part = (costs.scan(10**6, 1024, 16, read=0.125) for costs in (planes, slices))
    assert part < whole / 6
    assert planes.scan(10**6, 1024, 16) == slices.scan(10**6, 1024, 16)


def test_counts_that_are_put_away_take_time() -> None:
    costs = Costs(scan_code=0.0, scan_word=1.0, chunk=16, turned=10, call=0.0, eager=0.0, cached=1e12)
    read = 1 - 1e-9
    assert costs.scan(10**6, 1024, 1000, read) - costs.scan(10**6, 1024, 1000) == pytest.approx(1e6, rel=1e-3)


def test_wide_candidates_from_behind_the_cache_are_priced_higher() -> None:
    codes = np.random.default_rng(1).integers(0, 256, (20_000, 128), dtype=np.uint8)
    layout = deal(codes, 1024, len(codes))
    near, far = (expected_prices(segment_of(codes), layout, Costs(cached=cached)) for cached in (1e9, 2e5))
    more = (far.nanoseconds - near.nanoseconds) / far.candidates
    assert more == pytest.approx(Costs().stream_byte * APART)
