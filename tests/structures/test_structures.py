"""A search structure is a unit: one that nobody knew of answers, is explained, chosen and pickled around."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import reference
from hashindex import HashIndex, engines
from hashindex.engines import Engine
from hashindex.engines.folds import fold
from hashindex.engines.query import NearestQuery, RadiusQuery
from hashindex.engines.results import NearestRows, RadiusRows, Work
from hashindex.segments.segment import Segment
from hashindex.structures import STRUCTURES
from hashindex.structures.calibration import USUAL
from hashindex.structures.clusters.codebook import added_majorities, majorities
from hashindex.structures.costs import Costs
from hashindex.structures.sampling import shares_within
from hashindex.structures.structure import Kind, Prediction


class ByOnes:
    """Rows grouped by how many bits are set: a query need only look at groups within its limit. Python alone."""

    name = "by-ones"
    stops_early = False
    promises = 1.0  # nanoseconds per query

    def may_serve(self, segment: Segment) -> bool:
        return len(segment.codes) > 100

    def look_cost(self, segment: Segment, costs: Costs) -> float:
        return 0.0

    def least(self, segment: Segment, limits: NDArray[np.int64], kind: Kind) -> NDArray[np.float64]:
        return np.zeros(limits.shape)

    def build_cost(self, segment: Segment, costs: Costs) -> float:
        return costs.build * len(segment.codes)

    def build(
        self, segment: Segment, engine: Engine, n_threads: int, parts: Sequence[Segment] = ()
    ) -> NDArray[np.int64]:
        ones: NDArray[np.int64] = np.bitwise_count(segment.codes).sum(axis=1, dtype=np.int64)
        return ones

    def predict(self, segment: Segment, state: Any | None, limits: NDArray[np.int64], kind: Kind) -> Prediction:
        return Prediction(np.zeros(len(limits)), np.ones(len(limits)), np.full(len(limits), self.promises))

    def radius(self, segment: Segment, state: Any, query: RadiusQuery, kind: Kind, engine: Engine) -> RadiusRows:
        parts = [self._one(segment, state, query.codes[q : q + 1], int(r)) for q, r in enumerate(query.radii)]
        ends = np.cumsum([0, *(len(rows) for _, rows in parts)])
        distances = np.concatenate([np.empty(0, np.int32), *(d for d, _ in parts)])
        rows = np.concatenate([np.empty(0, np.int64), *(r for _, r in parts)])
        return RadiusRows(ends, distances, rows, _work(parts))

    def nearest(self, segment: Segment, state: Any, query: NearestQuery, kind: Kind, engine: Engine) -> NearestRows:
        parts = [self._one(segment, state, query.codes[q : q + 1], int(r)) for q, r in enumerate(query.radii)]
        shape = (len(parts), query.k)
        distances, rows = np.full(shape, 2**31 - 1, np.int32), np.full(shape, -1, np.int64)
        for q, (near, at) in enumerate(parts):
            n = min(query.k, len(at))
            distances[q, :n], rows[q, :n] = near[:n], at[:n]
        return NearestRows(distances, rows, _work(parts))

    def step(self, segment: Segment, state: Any, kind: Kind, engine: Engine) -> None:
        """No engine has it: the readable path."""

    def order(self, segment: Segment, state: Any) -> NDArray[np.int64]:
        return np.argsort(state)

    def arrays(self, state: Any) -> dict[str, NDArray[Any]]:
        return {"ones": state}

    def restore(self, segment: Segment, arrays: dict[str, NDArray[Any]]) -> Any:
        return arrays["ones"]

    def _one(self, segment: Segment, ones: Any, query: Any, radius: int) -> tuple[Any, Any]:
        own = int(np.bitwise_count(query).sum())
        rows = np.flatnonzero(abs(ones - own) <= radius)
        if segment.removed is not None:
            rows = rows[~segment.removed.has(rows)]
        distances = np.bitwise_count(segment.codes[rows] ^ query).sum(axis=1, dtype=np.int32)
        order = np.argsort(distances, kind="stable")
        order = order[distances[order] <= radius]
        return distances[order], rows[order]


def _work(parts: list[Any]) -> Work:
    return Work(0, sum(len(rows) for _, rows in parts))


@pytest.fixture
def toy() -> Iterator[ByOnes]:
    structure = ByOnes()
    STRUCTURES[structure.name] = structure
    yield structure
    del STRUCTURES[structure.name]


@pytest.mark.usefixtures("toy")
def test_a_structure_that_nobody_knew_of(engine: Engine, rng: np.random.Generator) -> None:
    codes = reference.random_codes(rng, 20_500, 64, "uniform")
    codes[:300] = codes[0]
    queries = codes[[0, 5000, 20_400]]
    index: Any = HashIndex(64, engine=engine)  # methods beyond those that types know
    index.add(codes[:20_000])
    index.add(codes[20_000:])
    gone = np.arange(7, 20_000, 50)
    index.remove(gone)
    kept = np.setdiff1d(np.arange(20_500), gone)
    offsets, distances, at = reference.radius_search(codes[kept], queries, 12)
    near = reference.nearest(codes[kept], queries, 7)
    for twin in (index, pickle.loads(pickle.dumps(index))):
        for method in ("by-ones", "auto", "scan"):
            hits = twin.search(queries, radius=12, method=method)
            np.testing.assert_array_equal(hits.offsets, offsets)
            np.testing.assert_array_equal(hits.distances, distances)
            np.testing.assert_array_equal(hits.ids, kept[at])
            found = twin.search(queries, 7, method=method)
            np.testing.assert_array_equal(found.distances, near[0])
            np.testing.assert_array_equal(found.ids, kept[near[1]])
    told = index.explain(queries, radius=12, method="by-ones")
    assert {step.method for step in told.steps} == {"by-ones"}
    assert "by-ones" in str(told)
    with pytest.raises(ValueError, match="expected one of: auto, scan, multi-index, clusters, folds, by-ones"):
        index.search(queries, 7, method="by-twos")


def test_auto_builds_and_takes_what_promises_most(
    toy: ByOnes, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashindex.search.choice.CARE", 0.0)  # so few queries are worth a thought
    monkeypatch.setattr("hashindex.search.choice.LONGEST_BESIDE", 0.0)  # nothing is built meanwhile
    index: Any = HashIndex(64)
    index.add(reference.random_codes(rng, 20_000, 64, "uniform"))
    queries = reference.random_codes(rng, 1000, 64, "uniform")
    assert index.explain(queries, radius=3).steps[0].method == "by-ones"
    toy.promises = 1e12
    twin = pickle.loads(pickle.dumps(index))
    assert twin.explain(queries, radius=3).steps[0].method != "by-ones"
    bytes_before = twin.explain(queries, radius=3, method="scan").bytes_per_code
    twin.search(queries, radius=3, method="by-ones")  # keeps an int64 per row
    assert twin.explain(queries, radius=3, method="scan").bytes_per_code == pytest.approx(
        bytes_before + 8
    )  # an int64 per row


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("centroids", lambda a: a[:-1]),
        ("nearest", lambda a: a - 100),
        ("nearest", lambda a: a + 100),
        ("nearest", lambda a: a.astype(np.int64)),
        ("firsts", lambda a: a[::-1].copy()),
        ("firsts", lambda a: a + 1),
        ("firsts", lambda a: np.concatenate([a[:1], [2**63 - 1, 1 - 2**63], a[3:]])),
        ("places", lambda a: a[::-1].copy()),
        ("places", lambda a: np.minimum(a, 90)),
        ("places", lambda a: a[:, None]),
        ("rows", lambda a: a[:-1]),
        ("codes", lambda a: a[:, :-1]),
    ],
)
def test_clusters_of_other_codes_are_refused(field: str, change: Any, rng: np.random.Generator) -> None:
    codes, clusters = reference.random_codes(rng, 900, 48, "skewed"), STRUCTURES["clusters"]
    segment = Segment.of(48, codes, np.arange(900))
    arrays = clusters.arrays(clusters.build(segment, engines.load(), 1))
    clusters.restore(segment, arrays)
    with pytest.raises(ValueError, match=r"fit|need|shape|places|directories"):
        clusters.restore(segment, {**arrays, field: change(arrays[field])})


def test_clusters_leave_little_of_codes_in_clumps(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    known = USUAL["Intel, native (avx512)"]  # not those of this machine, which may be busy
    for room in ("choice", "searching"):
        monkeypatch.setattr(f"hashindex.search.{room}.costs", lambda engine: known)  # noqa: ARG005
    centres = rng.integers(0, 256, (500, 32), dtype=np.uint8)
    codes = centres[rng.integers(500, size=150_000)] ^ np.packbits(rng.random((150_000, 256)) < 0.12, axis=1)
    index, queries = HashIndex(256), codes[:50].copy()
    index.add(codes)
    told = index.explain(queries, 10, method="clusters").steps[0]
    assert told.candidates < 0.2 * 50 * len(codes)
    assert told.candidates / 2 < told.predicted_candidates < 2 * told.candidates
    twin = HashIndex(256)
    twin.add(codes)
    twin.prepare(10)
    assert twin.explain(queries, 10).steps[0].method == "clusters"
    uniform = HashIndex(256)
    uniform.add(rng.integers(0, 256, (150_000, 32), dtype=np.uint8))
    uniform.prepare(10)
    assert "clusters" not in uniform._snapshot.segments[0].learned.states  # noticed before anything is built


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_state_goes_through_arrays(name: str, rng: np.random.Generator) -> None:
    """What a file will hold is all there is."""
    index: Any = HashIndex(48)
    index.add(reference.random_codes(rng, 20_000, 48, "uniform"))
    index.search(np.zeros(6, np.uint8), radius=3, method=name)
    (segment,) = index._snapshot.segments
    structure, states = STRUCTURES[name], segment.learned.states
    assert list(states) == ([] if name == "scan" else [name])  # noted is what was built
    state = states.get(name, ())
    arrays = {key: array.copy() for key, array in structure.arrays(state).items()}
    twin = structure.restore(segment, arrays)
    for ours, theirs in zip(structure.arrays(state).values(), structure.arrays(twin).values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if arrays:
        other = HashIndex(48)
        other.add(reference.random_codes(rng, 30_000, 48, "uniform"))
        with pytest.raises(ValueError, match="do not fit"):
            structure.restore(other._snapshot.segments[0], arrays)


@pytest.mark.parametrize("name", STRUCTURES)
def test_many_threads_may_ask_first(name: str, rng: np.random.Generator) -> None:
    """What is found out about a segment is noted whole, or not at all."""
    codes = reference.random_codes(rng, 20_000, 512, "uniform")
    kind = Kind(5, 512, 1, 1, Costs(), 1e6)
    usual, failures = sys.getswitchinterval(), list[BaseException]()

    def ask(segment: Segment) -> None:
        try:
            STRUCTURES[name].predict(segment, None, np.array([3, 300]), kind)
        except BaseException as error:
            failures.append(error)

    sys.setswitchinterval(1e-6)
    try:
        for _ in range(3):
            segment = Segment.of(512, codes, np.arange(20_000))
            threads = [threading.Thread(target=ask, args=(segment,)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(usual)
    assert failures == []


def test_a_sample_that_was_interrupted_is_taken_again(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, calls = HashIndex(512), list[int]()
    index.add(reference.random_codes(rng, 20_000, 512, "uniform"))
    queries = reference.random_codes(rng, 3, 512, "uniform")

    def once(between: NDArray[np.int32], n_limits: int) -> NDArray[np.float64]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return shares_within(between, n_limits)

    monkeypatch.setattr("hashindex.structures.folds.shares_within", once)
    with pytest.raises(KeyboardInterrupt):
        index.search(queries, k=3, method="folds")
    assert index.search(queries, k=3, method="folds").ids.tolist() == index.search(queries, k=3).ids.tolist()


@pytest.mark.parametrize("code_size", [1, 8, 13, 32, 40, 72, 99])
def test_folds_are_the_same_in_every_engine(engine: Engine, rng: np.random.Generator, code_size: int) -> None:
    codes = rng.integers(0, 256, (40_000, code_size), dtype=np.uint8)
    for fold_size in (8, 16, 24, 32, 40):
        padded = np.pad(codes, ((0, 0), (0, -code_size % fold_size)))
        expected = np.bitwise_xor.reduce(padded.reshape(len(codes), -1, fold_size), axis=1)
        for n_threads in (1, 3):
            np.testing.assert_array_equal(engine.folds.build(codes, fold_size, n_threads), expected)
    assert engine.folds.build(codes[:0], 8, 1).shape == (0, 8)


@pytest.mark.parametrize("code_size", [32, 72, 104, 128])
def test_narrower_folds_are_those_of_the_codes_too(engine: Engine, rng: np.random.Generator, code_size: int) -> None:
    index = HashIndex(8 * code_size, engine=engine)
    sparse = rng.random((20_000, 8 * code_size)) < 0.02
    index.add(np.packbits(sparse, axis=1))
    index.search(np.packbits(sparse[:1], axis=1), radius=2, method="folds")
    segment = index._snapshot.segments[0]
    state = segment.learned.states["folds"]
    assert len(state) == 2
    for width, folds in state.items():
        np.testing.assert_array_equal(folds, fold(segment.codes, 8 * width))


@pytest.mark.parametrize("code_size", [1, 8, 13, 32, 128])
def test_codes_go_to_the_first_of_their_nearest_centroids(
    engine: Engine, rng: np.random.Generator, code_size: int
) -> None:
    codes = rng.integers(0, 256, (700, code_size), dtype=np.uint8)
    for n_centroids in (1, 5, 300):
        centroids = np.concatenate([codes[:n_centroids], codes[:n_centroids]])  # each twice: the first counts
        away = np.bitwise_count(codes[:, None] ^ centroids).sum(axis=2)
        for n_threads in (1, 3):
            of, distances = engine.clusters.assign(codes, centroids, n_threads)
            np.testing.assert_array_equal(of, away.argmin(axis=1))
            np.testing.assert_array_equal(distances, away.min(axis=1))


def test_majorities_of_large_and_of_empty_clusters(rng: np.random.Generator) -> None:
    codes = rng.integers(0, 256, (1200, 37), dtype=np.uint8)
    of = np.repeat([0, 2, 3, 4], [255, 256, 1, 688])  # one has no codes
    bits = np.unpackbits(codes, axis=1).astype(int)
    expected = np.zeros((5, 37), np.uint8)
    for c in (0, 2, 3, 4):
        expected[c] = np.packbits(2 * bits[of == c].sum(axis=0) > (of == c).sum())
    order = rng.permutation(1200)
    for each in (majorities, added_majorities):
        np.testing.assert_array_equal(each(codes[order], of[order], np.zeros((5, 37), np.uint8)), expected)


@pytest.mark.parametrize("n_bits", [64, 256])
def test_queries_that_enter_large_clusters_together_miss_nothing(
    engine: Engine, rng: np.random.Generator, n_bits: int
) -> None:
    """Of noise of all sizes around few centres: runs begin and end anywhere, and a limit is rarely the next one's."""
    centres = rng.integers(0, 256, (12, n_bits // 8), dtype=np.uint8)
    noise = rng.random((20_000, n_bits)) < rng.uniform(0, 0.4, (20_000, 1))
    codes = centres[rng.integers(0, 12, len(noise))] ^ np.packbits(noise, axis=1)
    queries = codes[:200] ^ np.packbits(rng.random((200, n_bits)) < 0.05, axis=1)
    index = HashIndex(n_bits, engine=engine)
    index.add(codes)
    nearest = index.search(queries, k=15, method="scan")
    for kind in ({"k": 15}, {"radius": nearest.distances[:, -1]}, {"radius": n_bits // 6}):
        expected, found = (index.search(queries, **kind, method=method) for method in ("scan", "clusters"))
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)
