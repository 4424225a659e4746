"""Everyone that the benchmarks measure, once on few codes beside our answers, and on one thread."""
# ruff: noqa: E402

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import hashindex as hx
from reference import codes_of

for needed in ("faiss", "usearch", "pynear", "threadpoolctl"):
    pytest.importorskip(needed)

import comparison
import measure
import threads
from approximate_peers import Approximate
from checks import Hits, Near, near_recall, same_hits, same_near
from embedding_codes import Semantic, SemanticFaiss, Signs
from nearest_peers import PEERS
from peers import FaissFlat, FaissHash, FaissMultiHash, HashIndex, NumPy, Peer, UsearchExact
from pynear_peers import PynearBKTree, PynearWithin
from sets import Data, flip

K, RADIUS = 10, 3
WIDTHS = (64, 384)
WITHIN: tuple[Peer, ...] = (
    FaissFlat(),
    FaissMultiHash(2, 20, RADIUS),
    FaissHash(16, RADIUS),
    PynearWithin(4),
    PynearBKTree(),
    NumPy(),
    HashIndex("numpy"),
)
NEAREST: dict[str, Callable[[Data], Peer]] = {
    **PEERS,
    "numpy": lambda _: NumPy(),
    "usearch-exact": lambda _: UsearchExact(),
}


@pytest.fixture(autouse=True)
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Graphs are kept apart from those of the benchmarks."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with threads.one_thread():
        yield


def little(n_bits: int) -> Data:
    """Two thousand codes around fifty, and queries around the same."""
    rng = np.random.default_rng(n_bits)
    near = codes_of(0, 50, n_bits)[rng.integers(0, 50, 2100)]
    codes = flip(rng, near, rng.integers(0, n_bits // 8, len(near)))
    codes[-100:] = flip(rng, codes[:100], np.arange(100) % (RADIUS + 2))
    return Data(f"little-{n_bits}", codes[:-100], codes[-100:])


@pytest.mark.parametrize("n_bits", WIDTHS)
@pytest.mark.parametrize("name", NEAREST)
def test_the_nearest(name: str, n_bits: int) -> None:
    data = little(n_bits)
    ours = hx.HashIndex(n_bits)
    ours.add(data.codes)
    expected = Near(*ours.search(data.queries, k=K))
    peer = NEAREST[name](data).build(data.codes)
    if isinstance(peer, Approximate):
        assert measure.tune(peer, data, K, expected) >= measure.ENOUGH
        assert str(peer.effort) in peer.settings or name == "hashindex-recall"
        again = NEAREST[name](data).build(data.codes)  # a graph that was kept
        assert isinstance(again, Approximate)
        again.effort = peer.effort
        assert near_recall(data, again.nearest(data.queries, K), expected) >= measure.ENOUGH
    else:
        assert same_near(data, peer.nearest(data.queries, K), expected)
    threads.alone(lambda: peer.nearest(data.queries, K), name)


@pytest.mark.parametrize("peer", WITHIN, ids=lambda peer: f"{peer.name} {peer.settings}".strip())
def test_within_a_radius(peer: Peer) -> None:
    data = little(64)
    ours = hx.HashIndex(64)
    ours.add(data.codes)
    expected = Hits(*ours.search(data.queries, radius=RADIUS))
    assert len(expected.ids) > len(data.queries)
    assert same_hits(peer.build(data.codes).radius(data.queries, RADIUS), expected)
    threads.alone(lambda: peer.radius(data.queries, RADIUS), peer.name)


def test_semantic_search_of_both() -> None:
    """The row of sentence-transformers finds what ours finds."""
    pytest.importorskip("sentence_transformers")
    vectors = np.random.default_rng(0).standard_normal((500, 384), np.float32)
    queries = vectors[:50] + 0.3 * np.random.default_rng(1).standard_normal((50, 384), np.float32)
    found = []
    for finder in (Semantic(), SemanticFaiss()):
        finder.coder = Signs(centred=False).fit(vectors)
        finder.take(hx.pack(vectors))
        found.append(finder.find(queries, K))
        threads.alone(lambda finder=finder: finder.find(queries, K), finder.name)  # type: ignore[misc]
        assert finder.n_bytes >= 48 * len(vectors)
    assert found[0].shape == found[1].shape == (50, K)
    assert (found[0] == found[1]).mean() > 0.95  # which of those at one distance are rescored is faiss's choice


def test_what_the_comparison_expects_is_measured() -> None:
    exact_and_not = {NEAREST[name](little(64)).name for name in PEERS}
    assert {name for name in exact_and_not if not name.startswith("hashindex")} == set(comparison.EXPECTED["nearest"])


def test_a_pool_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "PAUSE_S", 0.0)
    page = bytes(4_000_000)

    def beside() -> None:
        other = Thread(target=zlib.crc32, args=(page * 10,))
        other.start()
        other.join()

    assert threads.alone(lambda: zlib.crc32(page), "one") > 0
    with pytest.raises(AssertionError, match="two: .* other threads"):
        threads.alone(beside, "two")
