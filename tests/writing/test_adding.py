"""Adding without ids: whatever lane it takes, the codes and ids are those of a plain list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.engines import Engine
from hashindex.segments.snapshot import MAX_ID
from hashindex.writing import adding
from hashindex.writing.adding import appended
from reference import codes_of

N_BITS = 64
Codes = np.ndarray[Any, np.dtype[np.uint8]]


class Subclass(np.ndarray[Any, Any]):
    pass


SHAPES: dict[str, Callable[[Codes], Any]] = {
    "rows": lambda codes: codes,
    "one": lambda codes: codes[0],
    "strided": lambda codes: np.repeat(codes, 2, axis=0)[::2],
    "by columns": np.asfortranarray,
    "a subclass": lambda codes: codes.view(Subclass),
    "bools": lambda codes: np.unpackbits(codes, axis=1).astype(bool),
    "bools by columns": lambda codes: np.asfortranarray(np.unpackbits(codes, axis=1).astype(bool)),
    "words": lambda codes: codes.view(">u8")[:, 0].astype(np.uint64),
    "read only": lambda codes: np.frombuffer(codes.tobytes(), np.uint8).reshape(codes.shape),
    "none": lambda codes: codes[:0],
}


@pytest.mark.parametrize("seed", range(3))
def test_any_codes_in_any_form(engine: Engine, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(adding, "SHORT_TAIL", 64)  # so that tails are full soon
    monkeypatch.setattr(adding, "TAIL_CODES", 128)
    rng = np.random.default_rng(seed)
    index, rows = HashIndex(N_BITS, engine=engine), np.empty((0, 8), np.uint8)
    for _ in range(150):
        codes = rng.integers(0, 256, (rng.integers(1, 12), 8), dtype=np.uint8)
        form = str(rng.choice(list(SHAPES)))
        given = SHAPES[form](codes)
        added = codes[:1] if form == "one" else codes[: len(given)]
        before = len(rows)
        rows = np.concatenate([rows, added])
        ids = index.add(given)
        assert ids.dtype == np.int64
        np.testing.assert_array_equal(ids, np.arange(before, len(rows)))
        ids[:] = 7  # the caller's own
        if rng.random() < 0.1:
            np.testing.assert_array_equal(np.unique(index.search(rows, radius=0).ids), np.arange(len(rows)))
    np.testing.assert_array_equal(index.get(np.arange(len(rows))), rows)


def test_the_last_ids_are_given_and_no_more() -> None:
    index = HashIndex(N_BITS)
    index.add(np.zeros((1, 8), np.uint8), ids=[MAX_ID - 3])
    one = np.ones((1, 8), np.uint8)
    assert index.add(one).tolist() == [MAX_ID - 2]
    with pytest.raises(ValueError, match="fewer than 3 ids are left"):
        index.add(np.repeat(one, 3, axis=0))
    assert index.add(np.repeat(one, 2, axis=0)).tolist() == [MAX_ID - 1, MAX_ID]
    with pytest.raises(ValueError, match="fewer than 1 ids are left"):
        index.add(one)
    assert len(index) == 4


def test_plain_codes_take_the_fast_lane_of_an_engine_that_has_one(engine: Engine) -> None:
    index, one = HashIndex(N_BITS, engine=engine), np.ones((1, 8), np.uint8)
    index.add(np.repeat(one, 5, axis=0))
    index.add(one)  # makes room for more
    done = appended(index._snapshot, one[0], engine)
    assert (done is not None) == (engine.name == "native")
    assert appended(index._snapshot, one.view(Subclass), engine) is None
    assert appended(index._snapshot, one[:, :7], engine) is None
    assert appended(index._snapshot, one.astype(np.int8), engine) is None


def test_a_tail_has_room_for_a_share_of_the_codes() -> None:
    index = HashIndex(64)
    index.add(codes_of(0, 64_000))
    index.add(codes_of(1, 1000))
    tail = index._snapshot.tail
    index.add(codes_of(2, 1000))
    assert index._snapshot.tail is tail
    assert len(tail.ids) == 64_000 // 32
