"""All pairs within a radius, inside one index and between two."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.index import METHODS, Method
from reference import codes_of


@pytest.mark.parametrize("kind", ["uniform", "skewed", "duplicates", "equal"])
@pytest.mark.parametrize("method", METHODS)
def test_pairs_and_joins(
    engine: Engine, kind: str, method: Method, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pair once, in blocks, across segments and tail, whatever was removed."""
    monkeypatch.setattr("hashindex.writing.adding.TAIL_CODES", 50)
    monkeypatch.setattr("hashindex.segments.segment.FEWEST_COLLAPSED", 8)
    monkeypatch.setattr("hashindex.search.blocks.BLOCK_HITS", 100)
    monkeypatch.setattr("hashindex.search.blocks.MOST_HITS", 400)
    codes, index = reference.random_codes(rng, 160, 24, kind), HashIndex(24, engine=engine)
    index.add(codes[:120])
    index.add(codes[120:])
    index.search(codes[:1], radius=0, method="multi-index")
    gone = [3, 77, 119, 120, 159]
    index.remove(gone)
    kept = [i for i in range(160) if i not in gone]
    matrix = reference.hamming_matrix(codes, codes)
    for radius in (0, 3, 99):
        found = [pair for block in index.pairs(radius, method=method) for pair in zip(*block, strict=True)]
        expected = {(a, b, matrix[a, b]) for a in kept for b in kept if a < b and matrix[a, b] <= radius}
        assert len(found) == len(expected)
        assert set(found) == expected
        others, other = reference.random_codes(rng, 30, 24, kind), HashIndex(24, engine=engine)
        between = reference.hamming_matrix(codes, others)
        other.add(others, ids=np.arange(1000, 1030))
        for target, first in ((others, 0), (other, 1000)):
            blocks = index.join(target, radius, method=method)
            found = [pair for block in blocks for pair in zip(*block, strict=True)]
            expected = {(a, b + first, between[a, b]) for a in kept for b in range(30) if between[a, b] <= radius}
            assert len(found) == len(expected)
            assert set(found) == expected


def test_pairs_and_joins_of_nothing() -> None:
    assert list(HashIndex().pairs(3)) == list(HashIndex(64).pairs(3)) == []
    assert list(HashIndex(64).join(codes_of(0, 3), 3)) == []
    index = HashIndex(64)
    index.add(codes_of(0, 3))
    assert list(index.join(codes_of(0, 0), 3)) == list(index.join(HashIndex(), 3)) == []
    with pytest.raises(ValueError, match="64 bits cannot be joined with one of 32"):
        index.join(HashIndex(32), 3)
    with pytest.raises(ValueError, match="at least 0"):
        index.pairs(-1)


def test_blocks_of_pairs_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal codes after a long run of others that let the blocks grow, with tables, without, and stored once."""
    monkeypatch.setattr("hashindex.search.blocks.BLOCK_HITS", 1000)
    monkeypatch.setattr("hashindex.search.blocks.MOST_HITS", 4000)
    codes = np.concatenate([codes_of(0, 1500), np.zeros((500, 8), np.uint8)])
    index = HashIndex(64, engine=engine)
    index.add(codes)
    for method in METHODS if engine.name != "numpy" else METHODS[:2]:
        sizes = [len(block.ids_a) for block in index.pairs(0, method=method)]
        assert sum(sizes) == 500 * 499 // 2
        assert max(sizes) <= 4000
    sizes = [len(block.ids_a) for block in index.join(codes, 0, method="scan")]
    assert sum(sizes) == 500 * 500 + 1500
    assert max(sizes) <= 4000
    monkeypatch.setattr("hashindex.writing.adding.TAIL_CODES", 50)
    monkeypatch.setattr("hashindex.writing.adding.SHORT_TAIL", 50)
    parts = HashIndex(64, engine=engine)
    for n_codes in (1000, 200, 40):
        parts.add(np.zeros((n_codes, 8), np.uint8))
    assert len(parts._snapshot.parts) == 3
    sizes = [len(block.ids_a) for block in parts.join(np.zeros((500, 8), np.uint8), 0, method="scan")]
    assert sum(sizes) == 500 * 1240
    assert max(sizes) <= 4000
    collapsed = HashIndex(64, engine=engine)
    collapsed.add(np.zeros((20_000, 8), np.uint8))
    assert max(len(block.ids_a) for block in collapsed.join(codes[1490:], 0)) <= 20_000
