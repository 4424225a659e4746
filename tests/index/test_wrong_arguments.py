"""Arguments of an index that could be misread: what is refused, and what the message says to do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.index import METHODS
from hashindex.structures import STRUCTURES
from reference import codes_of


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "k=.*radius="),
        ({"k": 0}, ValueError, "at least 1"),
        ({"k": 2.0}, TypeError, "integer"),
        ({"k": True}, TypeError, "integer"),
        ({"radius": -1}, ValueError, "at least 0"),
        ({"radius": 2.5}, TypeError, "integer"),
        ({"radius": 2, "method": "mih"}, ValueError, "auto, scan, multi-index"),
        ({"radius": 2, "n_threads": 0}, ValueError, "at least 1"),
        ({"radius": [-(10**30)]}, ValueError, "at least 0"),
        ({"k": 1, "allow": {1, "a"}}, TypeError, r"allow must be ids .* got 'a', a str; find\(keys\) of a store"),
        ({"k": 1, "allow": [1, 2.5]}, TypeError, "allow must be ids .* got 2.5, a float$"),
        ({"k": 1, "deny": np.array([1.0])}, TypeError, "deny must be ids .* got dtype float64$"),
        ({"k": 1, "allow": {True, False}}, TypeError, "a set of bools"),
        ({"k": 1, "deny": [[1, 2], [3]]}, TypeError, "deny must be ids"),
        ({"k": 1, "allow": [1, 2**63]}, ValueError, r"below 2\*\*63"),
        ({"k": 1, "allow": iter([1])}, ValueError, r"list\(\) makes a row"),
        ({"k": 1, "allow": 1}, ValueError, r"shape \(\); \[allow\] is one"),
        ({"radius": [1, True]}, TypeError, "got True, a bool"),
        ({"radius": {1, 2}}, TypeError, r"got set: list\(\) makes a row"),
        ({"radius": [10**30, "a"]}, TypeError, "an integer or one for each query, got 'a', a str"),
        ({"radius": [10**30, 1]}, ValueError, r"one for each of 1 queries; got shape \(2,\)"),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 4))
    with pytest.raises(error, match=message):
        index.search(codes_of(0, 1), **arguments)  # type: ignore[call-overload]


def test_a_radius_may_be_wider_than_any_integer() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 4))
    for radius in (10**30, [10**30], [2**63], np.array([np.int64(64)], object)):
        assert sorted(index.search(codes_of(0, 1), radius=radius).ids.tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("ids", [{1, 2}, iter([1, 2]), {1: 0, 2: 0}.keys()])
def test_ids_come_in_a_row(ids: Iterable[int]) -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 4))
    for call in (index.get, index.remove, lambda ids: index.replace(ids, codes_of(1, 2))):
        with pytest.raises(TypeError, match=r"in one row; got \w+: list\(\) makes a row of it"):
            call(ids)
        with pytest.raises(TypeError, match="in one row"):
            call([[1], [1, 2]])
    assert index.get(list(ids)).tolist() == index.get([1, 2]).tolist()
    assert len(index) == 4


def test_ids_are_read_once() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 4))
    read: list[int] = []

    class Ids:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            read.append(1)
            return np.array([1, 2])

    assert np.array_equal(index.get(Ids()), codes_of(0, 4)[1:3])
    assert index.remove(Ids()) == 2
    assert len(read) == 2
    assert index.get(np.uint8(3)).shape == index.get(np.array(3)).shape == (8,)
    with pytest.raises(TypeError, match="ids must be integers, got 'a', a str; find"):
        index.get([1, "a"])


def test_an_empty_list_has_no_width() -> None:
    index = HashIndex(64)
    for call in (index.add, lambda codes: index.search(codes, k=1)):
        for nothing, seen in (([], "list"), ((), "tuple"), (np.array([]), "array of float64")):
            with pytest.raises(TypeError, match=rf"empty {seen}.* np\.empty\(\(0, 8\), np\.uint8\) has no codes"):
                call(nothing)
        call(np.empty((0, 8), np.uint8))


def test_what_is_no_path_is_refused() -> None:
    index = HashIndex(64)
    for call, name in ((index.save, "path"), (HashIndex.load, "path"), (HashIndex.open, "directory")):
        with pytest.raises(TypeError, match=f"{name} must be a str or a Path, as 'folder/name', got 3"):
            call(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="from_bytes"):
        HashIndex.load(index.to_bytes())  # type: ignore[arg-type]
    assert len(HashIndex.from_bytes(index.to_bytes())) == 0


@pytest.mark.parametrize("n_bits", [0, -1, 65537, 1.5, "64", True])
def test_wrong_n_bits(n_bits: object) -> None:
    with pytest.raises((TypeError, ValueError), match="n_bits must be"):
        HashIndex(n_bits)  # type: ignore[arg-type]


def test_methods_are_the_structures() -> None:
    assert ("auto", *STRUCTURES) == METHODS


def test_an_engine_must_be_one() -> None:
    with pytest.raises(TypeError, match="engine must be one of native, numba, numpy or an Engine, got 0"):
        HashIndex(8, engine=0)  # type: ignore[arg-type]


def test_an_empty_name_is_no_engine_but_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = HashIndex(8).engine_name
    with pytest.raises(ValueError, match="engine '' is unknown; expected one of: native, numba, numpy"):
        HashIndex(8, engine="")
    monkeypatch.setenv("HASHINDEX_ENGINE", "")
    assert HashIndex(8).engine_name == usual
    monkeypatch.setenv("HASHINDEX_ENGINE", "fast")
    with pytest.raises(ValueError, match="engine 'fast', as HASHINDEX_ENGINE says, is unknown; expected one of"):
        HashIndex(8)
