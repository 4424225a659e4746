"""How an index is called: limits per query, sizes that are refused, pickles elsewhere, preparing, plans that last."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex, engines
from hashindex.engines import Engine
from hashindex.index import METHODS
from hashindex.search.plan import Plan, make_plan
from reference import codes_of


def test_a_radius_for_each_query(engine: Engine) -> None:
    codes, queries = codes_of(0, 900), codes_of(1, 40)
    queries[:20] = codes[:20]
    index = HashIndex(64, engine=engine)
    index.add(codes)
    radii = np.random.default_rng(0).integers(0, 30, 40)
    for method in METHODS:
        hits = index.search(queries, radius=radii, method=method)
        near = index.search(queries, 5, radius=radii.tolist(), method=method)
        for q, radius in enumerate(radii.tolist()):
            alone = index.search(queries[q], radius=radius, method="scan")
            np.testing.assert_array_equal(hits.row(q).ids, alone.ids)
            np.testing.assert_array_equal(hits.row(q).distances, alone.distances)
            np.testing.assert_array_equal(near.row(q).ids, alone.ids[:5])
    assert index.explain(queries, radius=radii).n_queries == 40
    with pytest.raises(ValueError, match=r"one for each of 40 queries; got shape \(3,\)"):
        index.search(queries, radius=[1, 2, 3])
    with pytest.raises(ValueError, match="radius must be at least 0"):
        index.search(queries, radius=radii - 25)
    for dtype in (np.int8, np.uint8, np.uint64):  # n_bits may not fit the dtype, nor a radius a signed one
        few: Any = np.array([3, 100], dtype)
        np.testing.assert_array_equal(index.search(queries[:2], radius=few).offsets[-1:], [901])
    huge = index.search(queries[:1], radius=np.array([2**64 - 1], np.uint64))
    assert len(huge.ids) == 900
    wrong: tuple[tuple[Any, str], ...] = (
        (radii / 2, "got dtype float64"),
        (np.array(3.0), r"radius must be an integer, got array\(3"),
        ([[1], [2, 3]], "one for each query"),
        (np.ma.masked_equal(radii, 3), "got a masked array"),
    )
    for radius, message in wrong:
        with pytest.raises(TypeError, match=message):
            index.search(queries, radius=radius)
    with pytest.raises(TypeError, match=r"method must be a str, got \['scan'\]"):
        index.search(queries, 3, method=["scan"])  # type: ignore[call-overload]


def test_a_k_that_is_mostly_padding_is_refused_with_its_size() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 2))
    with pytest.raises(ValueError, match=r"k = 1,000,000,000 is more than the 2 codes.* 11.2 GiB; k=2 gives all"):
        index.search(codes_of(1, 1), k=10**9)
    assert index.search(codes_of(1, 1), k=2).ids.shape == (1, 2)
    assert index.search(codes_of(1, 3), k=1000).row(2).ids.shape == (2,)


@pytest.mark.parametrize(("made", "loaded"), [("native", "numpy"), ("numpy", "native")])
def test_a_pickle_loads_where_its_engine_is_not(made: str, loaded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not {made, loaded} <= set(engines.available()):
        pytest.skip("needs the native engine")
    for asked in (made, None):
        monkeypatch.setattr(engines, "available", lambda: [made])
        index = HashIndex(64, engine=engines._load(made) if asked is None else asked)
        index._asked = asked is not None
        index.add(codes_of(0, 50))
        data = pickle.dumps(index)
        monkeypatch.setattr(engines, "available", lambda: [loaded])
        monkeypatch.setattr(engines, "_best", lambda: engines._load(loaded))
        twin = pickle.loads(data)
        assert twin.engine_name.startswith(loaded)
        np.testing.assert_array_equal(twin.search(codes_of(0, 50), k=1).ids[:, 0], np.arange(50))


def test_prepare_builds_what_pays_and_waits() -> None:
    index = HashIndex(64)
    index.prepare(radius=2)  # nothing to do
    index.add(codes_of(0, 50_000))
    index.prepare(radius=2)
    assert index.explain(codes_of(1, 1), radius=2).steps[0].method == "multi-index"
    uniform = HashIndex(256)
    uniform.add(np.random.default_rng(0).integers(0, 256, (20_000, 32), dtype=np.uint8))
    uniform.prepare(k=10)
    assert uniform.explain(np.zeros((1, 32), np.uint8), k=10).steps[0].method == "scan"
    assert not uniform._snapshot.segments[0].learned.states.get("multi-index")


def test_plans_live_across_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(*given: Any) -> Plan:
        made.append(1)
        return make_plan(*given)

    monkeypatch.setattr("hashindex.search.searching.make_plan", counted)
    index = HashIndex(64)
    codes = codes_of(0, 21_000)
    index.add(codes[:20_000])
    for code in codes[20_000:]:
        assert index.search(code, radius=3).n_queries == 1
        index.add(code)
    assert len(made) < 20
    assert index.search(codes[20_500], k=1).ids.tolist() == [20_500]
