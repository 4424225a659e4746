"""What a store notes beside codes: keys and payloads."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from hashindex import HashIndex
from reference import codes_of


def test_keys_and_payloads(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 3), keys=["a", "b", None], payloads=[{"n": 1}, None, [2]])
        assert index.find(["b", "z", "a"]).tolist() == [1, -1, 0]
        assert index.payloads([2, 0, 1]) == [[2], {"n": 1}, None]
        for keys, message in ((["a"], "belongs to id 0"), (["x", "x"], "got 2 keys"), ([b"a"], "must be a str")):
            with pytest.raises((ValueError, TypeError), match=message):
                index.add(codes_of(1, 1), keys=keys)
        with pytest.raises(ValueError, match="given twice"):
            index.add(codes_of(1, 2), keys=["x", "x"])
        with pytest.raises(TypeError, match="JSON"):
            index.add(codes_of(1, 1), payloads=[{1, 2}])
        deep: list[object] = []
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(ValueError, match="nested too deeply"):
            index.add(codes_of(1, 1), payloads=[deep])
        index.replace([0], codes_of(2, 1))  # keeps what was noted
        index.add(codes_of(3, 2), ids=[1, 9], on_duplicate="replace", keys=["c", "d"])
        with pytest.raises(KeyError, match="'b' is not in the index"):
            index.remove(keys=["a", "b"])
        reader = HashIndex.open(tmp_path / "store", mode="r")
        assert index.remove(keys=["d", "nothing"], missing="ignore") == 1
        assert list(index.items()) == [(0, "a", {"n": 1}), (1, "c", None), (2, None, [2])]
        assert reader.find(["d", "a"]).tolist() == [-1, 0]
        assert reader.keys([9, 0]) == [None, "a"]
        with contextlib.suppress(ZeroDivisionError), index.batch():
            index.add(codes_of(4, 1), keys=["e"])
            assert index.find(["e"]).tolist() == [10]
            raise ZeroDivisionError
        assert index.find(["e"]).tolist() == [-1]
        index.check()
        index.clear()
        assert list(index.items()) == []
    with pytest.raises(ValueError, match=r"HashIndex.open"):
        HashIndex(64).add(codes_of(0, 1), keys=["a"])


def test_codes_take_the_place_of_those_that_have_their_keys(tmp_path: Path) -> None:
    with HashIndex.open(tmp_path / "store", 64) as index:
        index.add(codes_of(0, 3), keys=["a", "b", None], payloads=["of a", "of b", None])
        new = codes_of(1, 3)
        assert index.add(new, keys=iter(["b", "c", None]), on_duplicate="replace").tolist() == [3, 4, 5]
        assert list(index.items()) == [(0, "a", "of a"), (3, "b", None), (4, "c", None)]
        assert index.ids().tolist() == [0, 2, 3, 4, 5]
        before = list(index.items())
        for keys, options, message in (
            (["a", "a"], {}, "given twice"),
            (["a"], {}, "got 1 keys for 2 codes"),
            (["a", 5], {}, "must be a str"),
            (["a", "z"], {"payloads": [{1}, None]}, "JSON"),
            (["b", "a"], {"ids": [0, 7]}, "'b' belongs to id 3"),  # ids are what is replaced
        ):
            with pytest.raises((TypeError, ValueError), match=message):
                index.add(codes_of(2, 2), keys=keys, on_duplicate="replace", **options)
            assert list(index.items()) == before
        with contextlib.suppress(ZeroDivisionError), index.batch():
            index.add(codes_of(2, 1), keys=["a"], on_duplicate="replace")
            index.add(codes_of(3, 1), keys=["a"], on_duplicate="replace")
            assert index.find(["a"]).tolist() == [7]
            raise ZeroDivisionError
        assert list(index.items()) == before
        index.check()
    with HashIndex.open(tmp_path / "store", mode="r") as reader:
        assert list(reader.items()) == before
        np.testing.assert_array_equal(reader.get([3, 4, 5]), new)
    with pytest.raises(ValueError, match=r"HashIndex.open"):
        HashIndex(64).add(codes_of(0, 1), keys=["a"], on_duplicate="replace")
