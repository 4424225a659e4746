"""Whatever is done in whatever order: an index in a folder, in memory and in files is what a dict says."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hashindex import HashIndex
from hashindex.segments import segment
from hashindex.store import transaction
from hashindex.writing import adding
from histories import Model, content

EXAMPLES = int(os.environ.get("HASHINDEX_EXAMPLES", "12"))
IDS = st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True)
SEEDS = st.integers(0, 2**20)


class Machine(RuleBasedStateMachine):
    """A writer that is closed and opened, a reader that lags behind, keys, batches that fail, files."""

    @initialize(sync=st.sampled_from(["always", "os"]))
    def start(self, sync: Any) -> None:
        self.sizes = adding.TAIL_CODES, segment.LARGE, transaction.MOST_LOGGED
        adding.TAIL_CODES, segment.LARGE, transaction.MOST_LOGGED = 16, 30, 40
        self.root = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.sync = sync
        self.model, self.seen, self.keys = Model(), Model(), dict[str, int]()
        self.index = HashIndex.open(self.root / "store", 64, sync=sync)
        self.reader = HashIndex.open(self.root / "store", mode="r")

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self.index._wait_for_merges()
            self.index.check()
            self.reader.close()
            self.index.close()
            shutil.rmtree(self.root)
            adding.TAIL_CODES, segment.LARGE, transaction.MOST_LOGGED = self.sizes

    def note(self, ids: list[int], codes: Any) -> None:
        self.model.update(zip(ids, map(bytes, codes), strict=True))

    def forget(self, ids: list[int]) -> None:
        for one in ids:
            del self.model[one]
        self.keys = {key: one for key, one in self.keys.items() if one in self.model}

    @rule(seed=SEEDS, n=st.integers(0, 40), keyed=st.booleans())
    def add(self, seed: int, n: int, keyed: bool) -> None:
        codes = np.random.default_rng(seed).integers(0, 256, (n, 8), dtype=np.uint8)
        free = [f"{seed}-{i}" for i in range(n)]
        keyed = keyed and not any(key in self.keys for key in free)
        ids = self.index.add(codes, keys=free if keyed else None).tolist()
        assert not set(ids) & set(self.model)
        self.note(ids, codes)
        if keyed:
            self.keys.update(zip(free, ids, strict=True))

    @rule(seed=SEEDS, ids=IDS)
    def upsert(self, seed: int, ids: list[int]) -> None:
        codes = np.random.default_rng(seed).integers(0, 256, (len(ids), 8), dtype=np.uint8)
        self.index.add(codes, ids=ids, on_duplicate="replace")
        self.note(ids, codes)

    @rule(ids=IDS)
    def remove(self, ids: list[int]) -> None:
        here = [one for one in ids if one in self.model]
        assert self.index.remove(ids, missing="ignore") == len(here)
        self.forget(here)

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def remove_by_key(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.keys)))
        assert self.index.remove(keys=key) == 1
        self.forget([self.keys[key]])

    @rule()
    def clear(self) -> None:
        self.index.clear()
        self.model, self.keys = {}, {}

    @rule()
    def compact(self) -> None:
        self.index.compact()

    @rule()
    def wait(self) -> None:
        self.index._wait_for_merges()

    @rule(seed=SEEDS, ids=IDS, fails=st.booleans())
    def batch(self, seed: int, ids: list[int], fails: bool) -> None:
        before = dict(self.model), dict(self.keys)
        try:
            with self.index.batch():
                self.upsert(seed, ids)
                self.remove(ids[:3])
                self.add(seed, 20, True)
                assert content(self.index) == self.model
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            self.model, self.keys = before

    @rule()
    def reopen(self) -> None:
        self.index.close()
        self.index = HashIndex.open(self.root / "store", sync=self.sync)

    @rule()
    def refresh(self) -> None:
        self.reader.refresh()
        self.seen = dict(self.model)
        assert self.reader.find(list(self.keys)).tolist() == list(self.keys.values())

    @rule(mmap=st.booleans())
    def save_and_load(self, mmap: bool) -> None:
        self.index.save(self.root / "saved.hxi")
        assert content(HashIndex.load(self.root / "saved.hxi", mmap=mmap)) == self.model

    @invariant()
    def holds_what_the_model_says(self) -> None:
        if not hasattr(self, "root"):
            return
        assert content(self.index) == self.model
        assert content(self.reader) == self.seen
        assert [(key, one) for one, key, _ in self.index.items()] == sorted(self.keys.items(), key=lambda item: item[1])
        if self.model:
            one = min(self.model)
            assert one in self.index.search(self.index.get(one), radius=0).ids


Machine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
test_machine = Machine.TestCase
