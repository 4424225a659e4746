"""What is built, when and where; never what is answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex
from hashindex.search import choice
from hashindex.search import plan as planning
from hashindex.structures import STRUCTURES
from hashindex.structures.costs import Costs
from hashindex.writing import adding
from reference import codes_of


def until(holds: Callable[[], bool]) -> bool:
    """Whether it holds within some seconds."""
    end = time.monotonic() + 20
    while time.monotonic() < end and not holds():
        time.sleep(0.005)
    return holds()


def index_of(n: int) -> HashIndex:
    index = HashIndex(64)
    index.add(codes_of(0, n))
    return index


def states(index: HashIndex) -> dict[str, Any]:
    return index._snapshot.segments[0].learned.states


def test_an_idle_core_builds_while_searches_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "usable_cpus", lambda: 2)
    index, queries = index_of(100_000), codes_of(1, 3000)
    for query in queries:
        index.search(query, radius=2, n_threads=1)
        if index._snapshot.segments[0].learned.building:
            break
    else:
        pytest.fail("nothing was ever built")
    assert until(lambda: "multi-index" in states(index))
    for query in queries[:1000]:
        index.search(query, radius=2, n_threads=1)
    assert index.explain(queries[0], radius=2, n_threads=1).steps[0].method == "multi-index"


def test_without_an_idle_core_the_search_that_pays_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "usable_cpus", lambda: 1)
    index, queries = index_of(100_000), codes_of(1, 20_000)
    index.search(queries, radius=2, n_threads=1)
    assert "multi-index" in states(index)
    assert not index._snapshot.segments[0].learned.building


def test_a_batch_that_would_outlast_the_building_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "usable_cpus", lambda: 2)
    index = index_of(100_000)
    told = index.explain(codes_of(1, 20_000), radius=2, n_threads=1)
    assert told.steps[0].method == "multi-index"


def test_what_fails_beside_fails_where_it_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise MemoryError("no room for tables")

    monkeypatch.setattr(choice, "usable_cpus", lambda: 2)
    index, queries = index_of(100_000), codes_of(1, 20_000)
    monkeypatch.setattr(STRUCTURES["multi-index"], "build", refuse)

    def search() -> None:
        for _ in range(100):
            index.search(queries[:3000], radius=2, n_threads=1)
            thread = index._snapshot.segments[0].learned.building.get("multi-index")
            if thread is not None:
                thread.join()

    with pytest.raises(MemoryError, match="no room"):
        search()
    monkeypatch.undo()
    np.testing.assert_array_equal(index.search(codes_of(0, 5), radius=0).ids, np.arange(5))


def test_few_queries_are_not_thought_about() -> None:
    index = index_of(100_000)
    for query in codes_of(1, 20):
        index.search(query, k=3, n_threads=1)
        index.search(query, radius=2, n_threads=1)
    assert not index._snapshot.segments[0].learned.notes


def test_what_queries_have_met_counts_more_than_what_was_sampled() -> None:
    """Uniform codes have far neighbours, but these queries are stored codes: their first is near."""
    index = HashIndex(64)
    codes = np.random.default_rng(5).integers(0, 256, (300_000, 8), dtype=np.uint8)
    index.add(codes)
    for query in codes[:3000]:
        index.search(query, k=1, n_threads=1)
    assert index._snapshot.segments[0].learned.looked[1][0] == 3000
    told = index.explain(codes[:1], k=1, n_threads=1).steps[0]
    assert (told.method, told.candidates < 300_000) == ("multi-index", True)


def test_a_remove_between_searches_does_not_make_them_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "usable_cpus", lambda: 1)
    index, queries = index_of(100_000), codes_of(1, 3000)
    for i, query in enumerate(queries):
        index.search(query, radius=2, n_threads=1)
        index.remove([7 * i])
        if "multi-index" in states(index):
            return
    pytest.fail("nothing was ever built")


def test_no_thread_to_be_had_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(choice, "usable_cpus", lambda: 2)
    monkeypatch.setattr(Thread, "start", refuse)
    index, queries = index_of(100_000), codes_of(1, 3000)
    for query in queries:
        index.search(query, radius=2, n_threads=1)
    assert "multi-index" in states(index)  # where it has paid


def test_costs_of_nothing_break_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    zero = (0.0, 0.0)
    free = Costs(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, zero, zero, zero, 0.0, 0.0)
    monkeypatch.setattr(choice, "costs", lambda _: free)
    index = index_of(50_000)
    for _ in range(3):
        np.testing.assert_array_equal(index.search(codes_of(0, 5000), k=1).ids[:, 0], np.arange(5000))


def test_kinds_of_search_are_not_remembered_for_ever() -> None:
    index = index_of(20_000)
    for k in range(1, 600):
        index.search(codes_of(0, 1), k=k)
    learned = index._snapshot.segments[0].learned
    assert len(learned.looked) <= 256
    assert len(learned.answered) <= 256


def test_where_a_cheap_look_promises_enough_nobody_takes_a_dear_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folds of wide uniform codes are looked at and built before tables are thought of."""
    monkeypatch.setattr(choice, "costs", lambda _: Costs())
    index = HashIndex(256)
    index.add(np.random.default_rng(6).integers(0, 256, (100_000, 32), dtype=np.uint8))
    queries = np.random.default_rng(7).integers(0, 256, (60, 32), dtype=np.uint8)
    for query in queries:
        index.search(query, radius=8, n_threads=1)
    assert until(lambda: "folds" in states(index))
    assert "multi-index" not in index._snapshot.segments[0].learned.notes
    assert index.explain(queries[0], radius=8, n_threads=1).steps[0].method == "folds"


def test_of_two_structures_a_batch_builds_the_one_that_is_cheapest_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one that would answer soonest if it were there."""
    monkeypatch.setattr(choice, "costs", lambda _: Costs())
    monkeypatch.setattr(choice, "LONGEST_BESIDE", 0.0)
    index = HashIndex(256)
    index.add(np.random.default_rng(6).integers(0, 256, (200_000, 32), dtype=np.uint8))
    index.search(np.random.default_rng(7).integers(0, 256, (1000, 32), dtype=np.uint8), radius=8, n_threads=1)
    assert set(states(index)) == {"folds"}


def test_what_no_prediction_tells_is_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables forced to look far have no price: of two segments such searches are not planned anew each time."""
    monkeypatch.setattr(adding, "TAIL_CODES", 16)
    index = HashIndex(512)
    codes = np.random.default_rng(8).integers(0, 256, (8000, 64), dtype=np.uint8)
    index.add(codes[:7000])
    index.add(codes[7000:])
    for _ in range(3):
        assert index.search(codes[:2], radius=512, method="multi-index").ids.size == 16_000
    (plan,) = index._snapshot.plans.values()
    assert len(plan.parts) == 2
    assert (plan.left > 1000, plan.paid, index._snapshot.segments[0].learned.apart) == (True, False, 0.0)


def test_what_is_built_waits_for_no_look_that_building_would_deserve() -> None:
    """Tables from a file answer after a few queries: nobody has to lose a share of building's time before."""
    codes = np.random.default_rng(9).integers(0, 256, (200_000, 8), dtype=np.uint8)
    made = HashIndex(64)
    made.add(codes)
    made.search(codes[:1], radius=2, method="multi-index")
    index = HashIndex.from_bytes(made.to_bytes())
    for i in range(60):
        index.search(codes[i : i + 1], radius=2, n_threads=1)
    assert index.explain(codes[:1], radius=2, n_threads=1).steps[0].method == "multi-index"


def test_the_first_batch_builds_nothing_that_takes_longer_than_it_would_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short building begins at half its price, but a batch's loss counts no more than what was lost before it."""
    costs = Costs(look=0.0)
    monkeypatch.setattr(choice, "costs", lambda _: costs)
    monkeypatch.setattr(planning, "usual", lambda _: costs)
    index = HashIndex(64)
    index.add(np.random.default_rng(10).integers(0, 256, (100_000, 8), dtype=np.uint8))
    queries = np.random.default_rng(11).integers(0, 256, (500, 8), dtype=np.uint8)  # lose 0.7 of what tables take
    index.search(queries, radius=2, n_threads=1)
    assert states(index) == {}
    index.search(queries, radius=2, n_threads=1)
    assert set(states(index)) == {"multi-index"}
