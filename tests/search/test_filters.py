"""Searches among some ids, or all but some: as if there were no others."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.index import METHODS, Method

WAYS: tuple[dict[str, Any], ...] = ({"k": 5}, {"radius": 20}, {"k": 3, "radius": 26})


def grown(engine: Engine, n_bits: int, kind: str) -> tuple[HashIndex, dict[int, NDArray[np.uint8]]]:
    """An index of segments and a tail, with own ids, equal codes and removals; and what it holds."""
    rng = np.random.default_rng(n_bits)
    size = n_bits // 8
    pool = rng.integers(0, 256, (30 if kind == "equal" else 25_000, size), dtype=np.uint8)
    index, held = HashIndex(n_bits, engine=engine), dict[int, NDArray[np.uint8]]()
    ids = rng.permutation(60_000)[:22_000] if kind == "own ids" else np.arange(22_000)
    codes = pool[rng.integers(0, len(pool), 22_000)]
    for begin, end in ((0, 17_000), (17_000, 20_500), (20_500, 22_000)):
        index.add(codes[begin:end], ids=None if kind != "own ids" else ids[begin:end])
    held = {int(one): code for one, code in zip(ids, codes, strict=True)}
    for one in rng.choice(ids, 3000, replace=False).tolist():
        del held[one]
    index.remove([one for one in ids.tolist() if one not in held])
    return index, held


def masked(ids: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    mask = np.zeros(n, np.bool_)
    mask[ids[ids < n]] = True
    return mask


@pytest.mark.parametrize("kind", ["counted", "own ids", "equal"])
def test_filtered_answers_are_those_of_an_index_of_the_allowed(engine: Engine, kind: str) -> None:
    index, held = grown(engine, 64, kind)
    rng = np.random.default_rng(1)
    ids = np.array(sorted(held))
    some, most = np.sort(rng.choice(ids, 40, replace=False)), np.sort(rng.choice(ids, len(ids) * 2 // 3, replace=False))
    unknown = np.array([7_000_000, 2**62])
    filters: list[tuple[Any, Any, NDArray[np.int64]]] = [
        (some, None, some),
        (rng.permutation(np.append(most, unknown)), None, most),
        (masked(most, 70_000), None, most),
        (masked(most, 9_000), None, most[most < 9_000]),
        (masked(some, 70_000), some[:5], some[5:]),
        (None, some.tolist(), np.setdiff1d(ids, some)),
        (None, masked(most, 8_000), np.setdiff1d(ids, most[most < 8_000])),
        (most, masked(some, 70_000), np.setdiff1d(most, some)),
        ([], None, ids[:0]),
        (None, index.ids(), ids[:0]),
    ]
    queries = np.stack([held[one] for one in rng.choice(ids, 12)])
    queries[:, 0] ^= rng.integers(0, 2, 12).astype(np.uint8)
    for (allow, deny, left), method in product(filters, METHODS):
        alone = HashIndex(64, engine="numpy")
        alone.add(np.stack([held[one] for one in left.tolist()]) if len(left) else np.empty((0, 8), np.uint8), ids=left)
        for asked in (queries, queries[0]):
            for options in WAYS:
                found = index.search(asked, allow=allow, deny=deny, method=method, **options)
                expected = alone.search(asked, method="scan", **options)
                for got, want in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(got, want)
    assert index.explain(queries, k=5, allow=most).n_codes == len(most)
    assert len(index) == len(held)


def test_pairs_and_joins_take_filters(engine: Engine) -> None:
    index, held = grown(engine, 64, "equal")
    ids = np.array(sorted(held))
    for allow in (ids[::200], ids[::2]):
        alone = HashIndex(64, engine="numpy")
        alone.add(np.stack([held[one] for one in allow.tolist()][:300]), ids=allow[:300])
        some = allow[:300]
        found = [np.stack(block, 1) for block in index.pairs(24, allow=some, deny=some[:3])]
        expected = [np.stack(block, 1) for block in alone.pairs(24, deny=some[:3])]
        assert sorted(np.concatenate(found).tolist()) == sorted(np.concatenate(expected).tolist())
        joined = np.concatenate([np.stack(block, 1) for block in index.join(alone, 10, allow=some[:9])])
        assert set(joined[:, 0].tolist()) == set(some[:9].tolist())


def test_what_is_no_filter_is_refused() -> None:
    index = HashIndex(64)
    index.add(np.arange(10, dtype=np.uint64))
    wrong: Any
    for wrong, message in (
        ([0.5], "allow must be ids .integers. or a bool for each id, got 0.5, a float"),
        ([True, 5], "got True, a bool"),
        (3, r"in one row; got shape \(\)"),
        ([[1]], r"got shape \(1, 1\)"),
        ([-1], "must not be negative"),
        (["a"], r"got 'a', a str; find\(keys\) of a store has the ids of keys"),
        (np.ma.array([True, False], mask=[True, False]), "got a masked array"),
        (np.ma.array([1, 2], mask=[True, False]), "got a masked array"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            index.search(np.uint64(1), k=1, allow=wrong)
    some: Any = {4, 5}
    assert index.search(np.uint64(1), k=1, allow=some).ids.tolist() == [5]


@pytest.mark.parametrize("method", METHODS)
def test_ties_once_first_rows_of_codes_were_removed(engine: Engine, method: Method) -> None:
    """Codes stand in the order of their first row, which a removal changes."""
    rng = np.random.default_rng(3)
    codes = np.zeros((20_000, 8), np.uint8)
    codes[:, :2] = rng.integers(0, [256, 32], (20_000, 2))  # 8,192 codes, each with many as far
    index, alone = HashIndex(64, engine=engine), HashIndex(64, engine="numpy")
    index.add(codes)
    left = np.sort(rng.choice(20_000, 16_000, replace=False))
    index.remove(np.setdiff1d(np.arange(20_000), left))
    alone.add(codes[left], ids=left)
    for k in (1, 7, 60):
        for asked in (codes[:150], codes[5]):
            found, expected = index.search(asked, k=k, method=method), alone.search(asked, k=k, method="scan")
            np.testing.assert_array_equal(found.ids, expected.ids)
            np.testing.assert_array_equal(found.distances, expected.distances)


def test_explain_tells_of_all_that_was_looked_at(engine: Engine) -> None:
    """Codes as far as the last are looked for by a scan where a removal may let another come before it."""
    codes = np.random.default_rng(0).integers(0, 256, (500, 8), dtype=np.uint8)
    index = HashIndex(64, engine=engine)
    index.add(np.repeat(codes, 40, axis=0))

    def looked_at(k: int) -> int:
        return index.explain(codes[:3], k=k, method="multi-index").steps[0].candidates

    one, two = looked_at(1), looked_at(2)
    index.remove([2, 41])
    assert looked_at(1) == one
    index.remove(0)
    assert looked_at(1) == one + 500  # for the first query
    assert looked_at(2) == two  # the other rows of its code are nearer than the second code


def test_a_filter_takes_no_room_of_removals() -> None:
    index = HashIndex(64)
    index.add(np.arange(40_000, dtype=np.uint64))
    index.remove(7)
    removed = index._snapshot.segments[0].removed
    assert removed is not None
    before = next(removed._pool._next)
    for _ in range(3):
        assert index.search(np.uint64(9), radius=0, deny=[9]).ids.tolist() == []
    assert next(removed._pool._next) == before + 1
