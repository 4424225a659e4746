"""All segments of an index have their clusters around the same centroids, and merging them compares no code anew."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import reference
from hashindex import HashIndex, engines
from hashindex.segments import segment as segments
from hashindex.segments.segment import Segment
from hashindex.segments.snapshot import Snapshot
from hashindex.segments.tail import TailBuffer
from hashindex.structures import STRUCTURES
from hashindex.structures.clusters import joining
from hashindex.structures.clusters import structure as clusters
from hashindex.writing import adding
from hashindex.writing.merging import merged

ENGINE = engines.load()
STRUCTURE = STRUCTURES["clusters"]
Codes = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "FEWEST_CODES", 256)
    monkeypatch.setattr(segments, "FEWEST_COLLAPSED", 256)


@pytest.mark.parametrize("kind", ["uniform", "skewed"])
def test_directories_tell_what_was_assigned(kind: str, rng: np.random.Generator) -> None:
    codes = reference.random_codes(rng, 2000, 48, kind)
    built = STRUCTURE.build(Segment.of(48, codes, np.arange(2000)), ENGINE, 1)
    for read in (joining.places, joining.read_directories):
        _check_same(read(built), ENGINE.clusters.assign(codes, built.centroids, 1))


@pytest.mark.parametrize("kind", ["uniform", "duplicates"])
def test_merging_compares_only_what_had_no_clusters(
    kind: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = rng.permutation(3000)
    some = [np.sort(ids[begin : begin + 1000]) for begin in (0, 1000, 2000)]  # lie between each other
    codes = reference.random_codes(rng, 3000, 48, "uniform") if kind == "uniform" else _repeated(rng, 3000)
    parts = tuple(Segment.of(48, codes[own], own).collapsed() for own in some)
    Snapshot(48, parts, TailBuffer.empty(0, 6), 0, 3000)
    for part in parts[:2]:
        part.learned.state("clusters", partial(STRUCTURE.build, part, ENGINE, 1))
    first, second = (part.learned.states["clusters"] for part in parts[:2])
    assert first.centroids is second.centroids
    gone = np.sort(rng.choice(1000, 200, replace=False))
    parts = (parts[0].marked(gone), *parts[1:])

    compared: list[int] = []
    assign = ENGINE.clusters.assign

    def counted(codes: Codes, *rest: Any) -> Any:
        compared.append(len(codes))
        return assign(codes, *rest)

    monkeypatch.setattr(ENGINE.clusters, "assign", counted)
    segment = merged(parts, ENGINE, lambda: False)
    assert sum(compared) <= len(parts[2].codes)
    assert (sum(compared) == len(parts[2].codes)) == (kind == "uniform")  # of repeated ones it has few of its own
    _check_same(joining.places(segment.learned.states["clusters"]), assign(segment.codes, first.centroids, 1))
    assert np.array_equal(segment.live_ids(), np.setdiff1d(np.arange(3000), some[0][gone]))


def test_centroids_are_trained_anew_for_four_times_as_many(rng: np.random.Generator) -> None:
    codes = reference.random_codes(rng, 5000, 48, "skewed")
    small, large, larger = (Segment.of(48, codes[:n], np.arange(n)) for n in (1000, 3500, 5000))
    Snapshot(48, (small, large, larger), TailBuffer.empty(0, 6), 0, 5000)
    trained = [STRUCTURE.build(one, ENGINE, 1).centroids for one in (small, large, larger)]
    assert [len(centroids) for centroids in trained] == [31, 31, 70]
    assert STRUCTURE.build(small, ENGINE, 1).centroids is trained[2]


def test_a_file_keeps_them(tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "TAIL_CODES", 16)
    codes, queries = reference.random_codes(rng, 3000, 48, "skewed"), reference.random_codes(rng, 20, 48, "skewed")
    index = HashIndex(48)
    index.add(codes[:2000])
    near = index.search(queries, k=5, method="clusters")
    index.save(tmp_path / "index")
    loaded = HashIndex.load(tmp_path / "index")
    (before,), (after,) = index._snapshot.segments, loaded._snapshot.segments
    assert np.array_equal(after.learned.shared["clusters"], before.learned.states["clusters"].centroids)
    assert STRUCTURE.build(after, ENGINE, 1).centroids is after.learned.shared["clusters"]
    loaded.add(codes[2000:])
    assert np.array_equal(near.ids, index.search(queries, k=5, method="clusters").ids)
    found = loaded.search(queries, k=5, method="clusters")
    assert np.array_equal(found.ids, loaded.search(queries, k=5, method="scan").ids)


def _check_same(told: joining.Places, expected: joining.Places) -> None:
    assert np.array_equal(told[0], expected[0])
    assert np.array_equal(told[1], expected[1])


def _repeated(rng: np.random.Generator, n: int) -> Codes:
    return reference.random_codes(rng, 600, 48, "uniform")[rng.integers(600, size=n)]
