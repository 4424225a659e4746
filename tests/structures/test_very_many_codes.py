"""Of very many codes there are two tables without copies: less memory, the same answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import reference
from hashindex import HashIndex
from hashindex.engines import Engine, tables
from hashindex.structures.multi_index import layout


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (tables, layout):
        monkeypatch.setattr(module, "MOST_TABLED", 5000)
    layout.shape.cache_clear()
    yield
    layout.shape.cache_clear()


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("n_bits", [64, 45, 24])
def test_two_tables_answer_the_same(engine: Engine, n_bits: int) -> None:
    rng = np.random.default_rng(n_bits)
    codes = reference.random_codes(rng, 6000, n_bits, "uniform")
    index = HashIndex(n_bits, engine=engine)
    index.add(codes)
    index.compact()  # the tail has no tables
    near = np.packbits(np.unpackbits(codes[::300], axis=1)[:, :n_bits] ^ (rng.random((20, n_bits)) < 0.05), axis=1)
    queries = np.concatenate([codes[::300], near])
    for radius in (0, 2, 5):
        found = index.search(queries, radius=radius, method="multi-index")
        offsets, distances, rows = reference.radius_search(codes, queries, radius)
        assert np.array_equal(found.offsets, offsets)
        assert np.array_equal(found.distances, distances)
        assert np.array_equal(found.ids, rows)
    nearest = index.search(queries, k=5, method="multi-index")
    assert np.array_equal(nearest.ids, reference.nearest(codes, queries, 5)[1])
    built = index._snapshot.segments[0].learned.states["multi-index"]
    assert (len(built.widths), built.copies.size) == (2, 0)


def test_a_billion_codes_take_twenty_bytes_each() -> None:
    n_tables, width = layout.shape(64, 10**9)
    offsets = n_tables * (2**width + 1)
    assert 8 + 4 * n_tables + 4 * offsets / 1e9 <= 20
    assert tables.n_copied(np.broadcast_to(np.zeros(8, np.uint8), (10**9, 8)), n_tables) == 0
