"""Random histories of an index, beside a dict that knows what must come of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hashindex import HashIndex

Model = dict[int, bytes]  # codes by id
KINDS = ("add", "add", "add", "add one", "add own", "upsert", "replace", "remove", "remove", "remove one", "compact")


def step(rng: np.random.Generator, index: HashIndex, model: Model, kinds: tuple[str, ...] = KINDS) -> str:
    """Do one thing to both; return what."""
    kind = str(rng.choice(kinds))
    here = np.array(sorted(model), np.int64)
    if kind.startswith("add") or kind == "upsert":
        n = 1 if kind == "add one" else int(rng.integers(1, 50))
        codes = rng.integers(0, 256, (n, 8), dtype=np.uint8)
        if kind == "add own":
            ids = index.add(codes, ids=rng.choice(np.setdiff1d(np.arange(5000), here), n, replace=False))
        elif kind == "upsert":
            ids = index.add(codes, ids=rng.choice(5000, n, replace=False), on_duplicate="replace")
        else:
            ids = index.add(codes)
        model.update(zip(ids.tolist(), map(bytes, codes), strict=True))
    elif kind == "compact":
        index.compact()
    elif kind == "clear":
        index.clear()
        model.clear()
    elif len(here):
        n = 1 if kind == "remove one" else int(rng.integers(1, min(len(here), 60) + 1))
        ids = rng.choice(here, n, replace=False)
        if kind == "replace":
            codes = rng.integers(0, 256, (n, 8), dtype=np.uint8)
            index.replace(ids, codes)
            model.update(zip(ids.tolist(), map(bytes, codes), strict=True))
        else:
            index.remove(ids)
            for one in ids.tolist():
                del model[one]
    return kind


def content(index: HashIndex) -> Model:
    """What an index holds."""
    ids = index.ids()
    return dict(zip(ids.tolist(), map(bytes, index.get(ids)), strict=True))


def check_same(index: HashIndex, model: Model, **more: Any) -> None:
    """Assert that an index holds what a model says, and finds it."""
    assert content(index) == model, more
    if model:
        some = np.array(sorted(model)[:: max(1, len(model) // 5)])
        near = index.search(index.get(some), k=1)
        assert not near.distances.any(), more
