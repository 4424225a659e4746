"""Every engine, ISA, method and thread count gives the answer of the slow reference, bit for bit."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import reference
from hashindex import HashIndex, engines
from hashindex.engines import Engine
from hashindex.engines.query import NearestQuery, RadiusQuery, Relevance
from hashindex.engines.rows import NOTHING_REMOVED, Rows
from hashindex.engines.tables import Shells, select_bits
from hashindex.index import METHODS as ALL_METHODS
from hashindex.structures.multi_index import plan as planner
from hashindex.structures.multi_index.layout import deal

WIDTHS = (1, 7, 8, 12, 48, 63, 64, 65, 128, 256, 333, 1024)
METHODS = ALL_METHODS[1:]
KINDS = ("uniform", "skewed", "duplicates", "equal")

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def make(seed: int, n: int, n_bits: int, kind: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Codes, and queries of which half lie near a code."""
    rng = np.random.default_rng(seed)
    codes = reference.random_codes(rng, n, n_bits, kind)
    queries = reference.random_codes(rng, 5, n_bits, kind)
    for i in range(3 if n else 0):
        bits = np.unpackbits(codes[rng.integers(n)], count=n_bits)
        bits[rng.integers(0, n_bits, rng.integers(0, 4))] ^= 1
        queries[i] = np.packbits(bits)
    return codes, queries


def assert_same(found: tuple[NDArray[np.generic], ...], expected: tuple[NDArray[np.generic], ...]) -> None:
    assert len(found) == len(expected)
    for ours, truth in zip(found, expected, strict=True):
        assert ours.dtype == truth.dtype
        assert ours.shape == truth.shape
        np.testing.assert_array_equal(ours, truth)


@quick
@given(seed=seeds, n_bits=st.sampled_from(WIDTHS), n=st.sampled_from((0, 1, 2, 50, 700)), data=st.data())
def test_radius_search_is_complete(engine: Engine, seed: int, n_bits: int, n: int, data: st.DataObject) -> None:
    codes, queries = make(seed, n, n_bits, data.draw(st.sampled_from(KINDS)))
    radius = data.draw(st.integers(0, min(8, n_bits)) | st.integers(0, n_bits + 2))
    index = HashIndex(n_bits, engine=engine)
    index.add(codes)
    expected = reference.radius_search(codes, queries, radius)
    for method in METHODS:
        for n_threads in (1, 2):
            assert_same(index.search(queries, radius=radius, method=method, n_threads=n_threads), expected)


@quick
@given(seed=seeds, n_bits=st.sampled_from(WIDTHS), n=st.sampled_from((0, 1, 2, 50, 700)), data=st.data())
def test_nearest_search_is_exact(engine: Engine, seed: int, n_bits: int, n: int, data: st.DataObject) -> None:
    codes, queries = make(seed, n, n_bits, data.draw(st.sampled_from(KINDS)))
    k = data.draw(st.integers(1, 20) | st.sampled_from((n + 1, 2 * n + 3)))
    radius = data.draw(st.none() | st.integers(0, n_bits + 2))
    index = HashIndex(n_bits, engine=engine)
    index.add(codes)
    expected = reference.nearest(codes, queries, k, radius)
    for method in METHODS:
        for n_threads in (1, 2):
            found = index.search(queries, k, radius=radius, method=method, n_threads=n_threads)
            assert_same(found, expected)


@pytest.mark.parametrize("n_bits", [8, 48, 64, 200])
def test_many_codes_and_queries(engine: Engine, n_bits: int) -> None:
    """Several tiles, blocks of queries and parts of codes; more than a log of the k nearest holds."""
    rng = np.random.default_rng(n_bits)
    codes = reference.random_codes(rng, 40_000, n_bits, "uniform")
    for n_queries in (1, 70):
        queries = reference.random_codes(rng, n_queries, n_bits, "uniform")
        matrix = reference.hamming_matrix(queries, codes)
        radius = int(np.sort(matrix, axis=1)[:, 50].max())
        index = HashIndex(n_bits, engine=engine)
        index.add(codes)
        for method in METHODS:
            if engine.name == "numpy" and method == "multi-index" and n_bits > 48:
                continue  # minutes of plain Python; smaller sizes are covered above
            for n_threads in (1, 3):
                hits = index.search(queries, radius=radius, method=method, n_threads=n_threads)
                near = index.search(queries, k=150, method=method, n_threads=n_threads)
                for i in range(n_queries):
                    order = np.argsort(matrix[i], kind="stable")
                    within = order[: int((matrix[i] <= radius).sum())]
                    np.testing.assert_array_equal(hits.row(i).ids, within)
                    np.testing.assert_array_equal(hits.row(i).distances, matrix[i][within])
                    np.testing.assert_array_equal(near.ids[i], order[:150])
                    np.testing.assert_array_equal(near.distances[i], matrix[i][order[:150]])


@pytest.mark.parametrize("n_bits", [64, 200])
def test_hits_become_many_amid_a_batch(engine: Engine, n_bits: int) -> None:
    """Codes are turned for a batch until most of them are found; first_near is where that begins."""
    rng = np.random.default_rng(n_bits)
    near, far = rng.integers(0, 256, (2, n_bits // 8), dtype=np.uint8)
    queries = np.repeat(near[None], 16, axis=0)
    queries[:, 0] ^= np.arange(16, dtype=np.uint8)
    for first_near in (0, 600, 5000):
        codes = np.where(np.arange(6000)[:, None] < first_near, far, near)
        codes[:, -1] ^= rng.integers(0, 4, 6000, dtype=np.uint8)
        index = HashIndex(n_bits, engine=engine)
        index.add(codes)
        radius = 5
        hits, found = index.search(queries, radius=radius, method="scan"), reference.hamming_matrix(queries, codes)
        closest = index.search(queries, k=20, method="scan")
        for i, line in enumerate(found):
            order = np.argsort(line, kind="stable")
            np.testing.assert_array_equal(hits.row(i).ids, order[: int((line <= radius).sum())])
            np.testing.assert_array_equal(closest.ids[i], order[:20])
            np.testing.assert_array_equal(closest.distances[i], line[order[:20]])


def test_nearest_of_codes_at_falling_distance(engine: Engine) -> None:
    """The worst order for a collector: every code is nearer than all before it."""
    codes = np.packbits(np.arange(1024)[None, :] < np.arange(1024, 0, -1)[:, None], axis=1)
    index = HashIndex(1024, engine=engine)
    index.add(codes)
    for method in METHODS:
        near = index.search(np.zeros(128, np.uint8), k=5, method=method)
        assert near.ids.tolist() == [1023, 1022, 1021, 1020, 1019]
        assert near.distances.tolist() == [1, 2, 3, 4, 5]


@quick
@given(seed=seeds, n_bits=st.sampled_from(WIDTHS), n=st.sampled_from((0, 1, 33, 700)), data=st.data())
def test_distances_are_counted(engine: Engine, seed: int, n_bits: int, n: int, data: st.DataObject) -> None:
    """Label words of few kinds, which queries share, and of many; equality and bits in common."""
    rng = np.random.default_rng(seed)
    n_queries, n_words = data.draw(st.sampled_from((0, 1, 9, 140))), data.draw(st.integers(1, 3))
    kind = data.draw(st.sampled_from(KINDS))
    codes, queries = (reference.random_codes(rng, size, n_bits, kind) for size in (n, n_queries))
    words = rng.choice(data.draw(st.sampled_from(([0, 1], [0, 2**31, 3], range(2**10)))), (n + n_queries, n_words))
    given, wanted = words[:n].astype(np.uint32), words[n:].astype(np.uint32)
    distances = reference.hamming_matrix(queries, codes)
    for shared in (False, True):
        same = (given & wanted[:, None] > 0) if shared else (given == wanted[:, None])
        alike = np.asarray(same.any(axis=2) if shared else same.all(axis=2))
        expected = np.zeros((2, n_queries, 8 * codes.shape[1] + 1), np.int64)
        for q, i in np.ndindex(distances.shape):
            expected[0, q, distances[q, i]] += 1
            expected[1, q, distances[q, i]] += alike[q, i]
        relevance = Relevance(wanted, np.ascontiguousarray(given.T), shared)
        for n_threads in (1, 3):
            found = engine.count_distances(codes, queries, relevance, n_threads)
            assert_same((found,), (expected,))


def test_codes_split_among_threads_are_counted_once(engine: Engine) -> None:
    codes = np.arange(40_000, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    relevance = Relevance(np.zeros((1, 1), np.uint32), (np.arange(40_000) % 3).astype(np.uint32)[None], False)
    found = engine.count_distances(codes, codes[:1], relevance, 3)
    distances = np.bitwise_count(np.arange(40_000, dtype=np.uint16))
    np.testing.assert_array_equal(found[0, 0], np.bincount(distances, minlength=17))
    np.testing.assert_array_equal(found[1, 0], np.bincount(distances[::3], minlength=17))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=seeds, n_bits=st.sampled_from((12, 48, 64, 65, 128)), radius=st.integers(0, 24), data=st.data())
def test_any_pigeonhole_split_is_complete(
    engine: Engine, seed: int, n_bits: int, radius: int, data: st.DataObject
) -> None:
    """sum(t_j + 1) = radius + 1 is all that completeness needs, however the flips are dealt."""
    codes, queries = make(seed, 300, n_bits, data.draw(st.sampled_from(KINDS)))
    removed = data.draw(st.sampled_from((NOTHING_REMOVED, np.random.default_rng(seed).integers(0, 256, 38, np.uint8))))
    layout = deal(codes, n_bits, len(codes))
    allowed = np.full(len(layout.widths), -1, np.int32)
    for _ in range(radius + 1):
        allowed[data.draw(st.integers(0, len(allowed) - 1))] += 1
    if (allowed > layout.widths).any():
        allowed = np.minimum(allowed, layout.widths)
    tables = engine.multi_index.build(codes, layout, 1)
    kept = np.unpackbits(removed, bitorder="little", count=300) == 0 if len(removed) else np.ones(300, np.bool_)
    rows = np.flatnonzero(kept)
    offsets, distances, at = reference.radius_search(codes[rows], queries, radius)
    for some in (tables, tables._replace(copies=tables.copies[:1]), tables._replace(copies=tables.copies[:0])):
        query = RadiusQuery(queries, np.full(len(queries), min(radius, n_bits), np.int32))
        found = engine.multi_index.radius(Rows(codes, removed), some, query, allowed)
        assert_same(found[:3], (offsets, distances, rows[at]))


@quick
@given(seed=seeds, n_bits=st.sampled_from((5, 48, 64, 65, 200)), kind=st.sampled_from(KINDS), data=st.data())
def test_a_search_that_promises_to_cost_too_much_is_finished_by_a_scan(
    engine: Engine, seed: int, n_bits: int, kind: str, data: st.DataObject
) -> None:
    """Whatever it may spend, a k-NN search by tables gives the answer."""
    codes, queries = make(seed, 400, n_bits, kind)
    radii = np.array(data.draw(st.lists(st.integers(0, n_bits), min_size=5, max_size=5)), np.int32)
    k = data.draw(st.integers(1, 12))
    tables = engine.multi_index.build(codes, deal(codes, n_bits, 400), 2)
    steps = [(t, flips) for flips in range(int(tables.widths.max()) + 1) for t in range(len(tables.widths))]
    budget = data.draw(st.sampled_from((inf, 30.0, 3.0)))
    shells = Shells(np.array(steps, np.int32), np.ones(len(steps)), budget)
    query = NearestQuery(queries, k, radii, 2)
    found = engine.multi_index.nearest(Rows(codes), tables, query, shells)
    scanned = engine.scan.nearest(Rows(codes), query)
    for q in range(5):
        expected = reference.nearest(codes, queries[q : q + 1], k, int(radii[q]))
        assert_same((scanned.distances[q : q + 1], scanned.rows[q : q + 1]), expected)
        assert_same((found.distances[q : q + 1], found.rows[q : q + 1]), expected)


@quick
@given(seed=seeds, n_bits=st.sampled_from((3, 64, 65, 256)), kind=st.sampled_from(KINDS))
def test_every_engine_builds_the_same_tables(seed: int, n_bits: int, kind: str) -> None:
    codes, _ = make(seed, 700, n_bits, kind)
    layout = deal(codes, n_bits, 700)
    truth, *others = [engines.load(name).multi_index.build(codes, layout, 2) for name in reversed(engines.available())]
    for t, first in enumerate(truth.first_offsets):
        keys = select_bits(codes, layout.masks[t])
        places = np.searchsorted(truth.offsets[first : first + 2 ** int(layout.widths[t])], np.arange(700), "right")
        np.testing.assert_array_equal(keys[truth.rows[t]], places - 1)
    for tables in others:
        assert_same(tuple(tables), tuple(truth))


@given(st.integers(1, 2000), st.integers(1, 10**7), st.sampled_from(KINDS))
@settings(max_examples=30, deadline=None)
def test_keys_share_no_bit(n_bits: int, n_distinct: int, kind: str) -> None:
    layout = deal(reference.random_codes(np.random.default_rng(n_bits), 60, n_bits, kind), n_bits, n_distinct)
    bits = np.unpackbits(layout.masks, axis=1)
    assert bits.sum(axis=0).max() <= 1
    assert bits[:, n_bits:].sum() == 0
    assert bits.sum(axis=1).tolist() == layout.widths.tolist()
    assert layout.widths.min() >= 1


@given(seeds, st.integers(1, 16), st.integers(1, 20), st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_thresholds_are_the_cheapest_complete_split(seed: int, n_tables: int, width: int, radius: int) -> None:
    prices = np.random.default_rng(seed).random((n_tables, width + 1))
    allowed = planner.thresholds(radius, planner.Prices(prices, prices, prices))
    most = min(planner.MOST_FLIPS + 1, width + 1)
    if allowed is None:
        assert radius + 1 > n_tables * most
        return
    assert int((allowed + 1).sum()) == radius + 1
    assert allowed.min() >= -1
    assert allowed.max() < most
    cost = planner.probe_cost(allowed, planner.Prices(prices, prices, prices))[2]
    for give in range(n_tables):  # no flip is better spent elsewhere
        for take in range(n_tables):
            if give != take and allowed[give] >= 0 and allowed[take] + 2 <= most:
                other = allowed.copy()
                other[give] -= 1
                other[take] += 1
                assert cost <= planner.probe_cost(other, planner.Prices(prices, prices, prices))[2] + 1e-9


@quick
@given(seed=seeds, n_bits=st.sampled_from((7, 64, 128, 333)), kind=st.sampled_from(KINDS), data=st.data())
def test_invariances(engine: Engine, seed: int, n_bits: int, kind: str, data: st.DataObject) -> None:
    """XOR with a mask and permuting bits change nothing; permuting rows permutes ids."""
    codes, queries = make(seed, 120, n_bits, kind)
    rng = np.random.default_rng(seed)
    method = data.draw(st.sampled_from(METHODS))
    radius = data.draw(st.integers(0, n_bits))

    def search(codes: NDArray[np.uint8], queries: NDArray[np.uint8], ids: NDArray[np.int64]) -> list[list[object]]:
        index = HashIndex(n_bits, engine=engine)
        index.add(codes, ids=ids)
        hits = index.search(queries, radius=radius, method=method)
        near = index.search(queries, k=9, method=method)
        return [array.tolist() for array in (*hits, *near)]

    ids = np.arange(120)
    expected = search(codes, queries, ids)
    mask = reference.random_codes(rng, 1, n_bits, "uniform")
    assert search(codes ^ mask, queries ^ mask, ids) == expected
    bits = rng.permutation(n_bits)

    def permuted(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.packbits(np.unpackbits(codes, axis=1, count=n_bits)[:, bits], axis=1)

    assert search(permuted(codes), permuted(queries), ids) == expected
    rows = rng.permutation(120)
    assert search(codes[rows], queries, rows) == expected


@quick
@given(seed=seeds, kind=st.sampled_from(KINDS), small=st.integers(1, 60), more=st.integers(0, 60))
def test_k_nearest_is_a_prefix_of_more(engine: Engine, seed: int, kind: str, small: int, more: int) -> None:
    codes, queries = make(seed, 100, 48, kind)
    index = HashIndex(48, engine=engine)
    index.add(codes)
    for method in METHODS:
        few, many = (
            index.search(queries, small, method=method),
            index.search(queries, small + more, method=method),
        )
        np.testing.assert_array_equal(few.distances, many.distances[:, :small])
        np.testing.assert_array_equal(few.ids, many.ids[:, :small])


def test_widest_codes(engine: Engine) -> None:
    codes = reference.random_codes(np.random.default_rng(0), 40, 65536, "uniform")
    index = HashIndex(65536, engine=engine)
    index.add(codes)
    far = np.invert(codes[:1])
    for method in METHODS:
        assert sorted(index.search(far, radius=65535, method=method).ids) == list(range(1, 40))
        assert index.search(far, radius=65536, method=method).row(0).ids[-1] == 0
        assert index.search(far, k=40, method=method).distances[0, -1] == 65536
