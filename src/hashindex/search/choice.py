"""Which structure answers a kind of search in one segment, and when to think about that again.

Each structure predicts what a query takes by how far it must look: as far as the radius, or as the k-th neighbour. How
far that is, a sample of the segment's codes tells before the first query, and the queries answered so far from then on.

A structure to be built is rented before it is bought (the ski-rental argument): it is built once searches are predicted
to have lost as much time for want of it as building takes, so that at worst the total doubles. Where a core is idle it
is built there much sooner, and searches go on meanwhile. Looking at a sample of the codes takes time too: before
searches have taken a multiple of that and a share of what building would, nobody looks. All of it is counted as on one
thread: a search on several gains by them what building does.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..segments.segment import Segment
from ..structures import STRUCTURES
from ..structures.calibration import DEFAULT, costs
from ..structures.chunks import n_chunks_of
from ..structures.costs import Costs
from ..structures.structure import Kind, Prediction, Structure
from ..support.threads import usable_cpus

AUTO = "auto"
FOREVER = 2**62  # queries
THINKING = 2e5  # nanoseconds, about
LONGEST_BESIDE = 5e8  # nanoseconds of building on an idle core: a process that ends waits for it
BRIEF, BRIEF_SEARCHES = 3e6, 4  # nanoseconds of building, and searches as long, that are not worth another thread
BRIEF_SHARE = 0.5  # of the price of such a building that is waited for
EAGERNESS = 0.2  # share of the cost of building that is lost before an idle core builds
CARE = 2.5  # times the cost of looking at it that searches must have taken before anybody looks at a structure
WORTH_LOOKING = 0.8  # of what searches take: a structure that takes more at the least is not looked at
WORTH_BUILDING = 0.8  # nor built if it is predicted to take more: predictions are off by as much
PATIENCE = 0.25  # and share of the cost of building
RELIEF = 0.125  # share of a building's cost that may be lost between two thoughts
MOST_BATCHED = 64  # queries of a batch from which on they cost the same
MOST_SEEN = 4096  # queries of a kind whose limits are remembered at full weight


class Choice(NamedTuple):
    """The structure that answers, with its state, and what it is predicted to take per query."""

    structure: Structure
    state: Any
    predicted: tuple[float, float, float]  # lookups, candidates, nanoseconds
    left: int  # queries after which to choose anew
    losses: tuple[tuple[str, float], ...] = ()  # per query, for want of which structure
    kind: Kind | None = None  # with the costs that the prediction was made of, if others were used


def forced(name: str, segment: Segment, kind: Kind, engine: Engine) -> Choice:
    """The structure of that name, built if need be."""
    structure = STRUCTURES[name]
    state = _built(structure, segment, kind, engine)
    limits, weights = _limits(segment, kind)
    return Choice(structure, state, _mean(structure.predict(segment, state, limits, kind), weights), FOREVER)


def stopping_early(method: str, segment: Segment, kind: Kind, engine: Engine) -> Choice | None:
    """The structure, built if need be, that answers with ``kind.recall``; None: an exact one must.

    It depends on nothing that changes from search to search: the same codes give the same answer.
    """
    if kind.recall == 1:
        return None
    for structure in STRUCTURES.values():
        may_serve = structure.may_serve(segment) if method == AUTO else method == structure.name
        if structure.stops_early and may_serve:
            state = _built(structure, segment, kind, engine)
            structure.step(segment, state, kind, engine)  # finds out how far to go, which predictions then know
            if method == AUTO and not _saves(structure, state, segment, kind):
                return None
            limits, weights = _limits(segment, kind)
            return Choice(structure, state, _mean(structure.predict(segment, state, limits, kind), weights), FOREVER)
    return None


def chosen(segment: Segment, kind: Kind, engine: Engine) -> Choice:
    """The structure that is predicted to be fastest, by what queries of the kind have met so far."""
    answered = segment.learned.answered.get(kind_key(kind), 0)
    scan, *others = [structure for structure in STRUCTURES.values() if structure.may_serve(segment)]
    states = segment.learned.states
    kind, predicted, left = _predicted(scan, others, segment, kind, answered, engine)
    others = [one for one in others if one.name in predicted]
    ready = [one for one in (scan, *others) if one is scan or one.name in states]
    best = min(ready, key=lambda one: predicted[one.name][2])
    if not others:
        return Choice(scan, (), predicted[scan.name], left)
    cost = max(predicted[best.name][2], 1.0)
    pause = int(max(THINKING / PATIENCE / cost, 1))  # so that thoughts take no more than a share of the time
    losses: list[tuple[str, float]] = []
    prices = {one.name: one.build_cost(segment, kind.costs) for one in others}
    for one in sorted(others, key=lambda one: prices[one.name] + predicted[one.name][2] * (answered + kind.n_queries)):
        gain, price = cost - predicted[one.name][2], prices[one.name]  # first what would have been cheapest in all
        if one.name in states or predicted[one.name][2] > WORTH_BUILDING * cost:
            continue
        lost = segment.learned.lost.setdefault(one.name, gain * answered)  # so far nobody has counted
        loss = gain * kind.n_queries
        is_brief = price <= max(BRIEF, BRIEF_SEARCHES * cost * kind.n_queries)
        if not is_brief and loss < price and lost + loss >= EAGERNESS * price:
            _build_beside(one, segment, kind, engine)
        due = BRIEF_SHARE * price if is_brief else price
        if loss >= price or (lost + min(loss, lost) >= due and not _is_being_built(one, segment)):
            _built(one, segment, kind, engine)  # or wait for whoever does: this batch would lose more
            return chosen(segment, kind, engine)
        losses.append((one.name, gain))
        left = min(left, max(int(min(abs(price - lost), RELIEF * price) / gain), pause))
    if kind.k is not None or losses:  # the more have been answered, the less can be new
        left = min(left, max(answered, pause))
    return Choice(best, states.get(best.name, ()), predicted[best.name], left, tuple(losses), kind)


def _predicted(
    scan: Structure, others: list[Structure], segment: Segment, kind: Kind, answered: int, engine: Engine
) -> tuple[Kind, dict[str, tuple[float, float, float]], int]:
    """What structures take that are worth a look by now, by name, the kind priced for that, and until when it holds.

    The one soonest looked at first: if it promises short searches, the next must wait for more of them.
    """
    left, looking = FOREVER, 0.0
    predicted = {scan.name: (0.0, float(len(segment.codes)), kind.scan_cost)}
    for one in sorted(others, key=lambda one: one.look_cost(segment, kind.costs)):
        is_built = one.name in segment.learned.states
        look, price = one.look_cost(segment, kind.costs), one.build_cost(segment, kind.costs)
        if is_built:
            look, price = THINKING, 0.0
        looked = looking + look
        least = min(max(nanoseconds, 1.0) for *_, nanoseconds in predicted.values())
        worth = max(CARE * looked, PATIENCE * price)
        due = int(worth / least) - answered
        if due >= kind.n_queries and not segment.learned.thought:
            left = min(left, due)
            continue
        if len(predicted) == 1:
            kind = with_costs(kind, segment, costs(engine))
            limits, weights = _limits(segment, kind)
            predicted[scan.name] = (0.0, float(len(segment.codes)), kind.scan_cost)
            least = kind.scan_cost
        if not is_built and one.least(segment, limits, kind) @ weights > WORTH_LOOKING * least:
            if kind.k is not None:  # queries may come whose neighbours are nearer
                left = min(left, max(answered, int(THINKING / PATIENCE / least), 1))
            continue
        looking = looked
        predicted[one.name] = _mean(one.predict(segment, segment.learned.states.get(one.name), limits, kind), weights)
    return kind, predicted, left


def kind_key(kind: Kind) -> tuple[int | None, int, int]:
    """Under which answered queries are counted: lone queries, and batches by their size."""
    return kind.k, kind.radius, size_class(kind.n_queries)


def size_class(n_queries: int) -> int:
    """The same for searches that cost about the same per query."""
    return 1 if n_queries <= 4 else min(n_queries, MOST_BATCHED).bit_length()


def with_costs(kind: Kind, segment: Segment, known: Costs) -> Kind:
    """The same kind, priced by ``known`` costs."""
    kind, (n, code_size) = kind._replace(costs=known), segment.codes.shape
    if n_chunks_of(code_size, known, kind.n_queries) == 1:  # in a moment: the same however far queries look
        takes = known.scan(n, 8 * code_size, kind.n_queries)
    else:
        limits, weights = _limits(segment, kind)
        *_, takes = _mean(STRUCTURES["scan"].predict(segment, (), limits, kind), weights)
    return kind._replace(scan_cost=max(takes, 1.0))


def prepared(segment: Segment, kind: Kind, engine: Engine, method: str, *, many: bool) -> None:
    """Build what ``kind.n_queries`` such searches would pay for; for ``many``, what is predicted to be fastest."""
    if method != AUTO:
        _built(STRUCTURES[method], segment, kind, engine)
        return
    states = segment.learned.states
    limits, weights = _limits(segment, kind)
    predicted = {
        one.name: _mean(one.predict(segment, states.get(one.name), limits, kind), weights)[2]
        for one in STRUCTURES.values()
        if one.may_serve(segment)
    }
    best = STRUCTURES[min(predicted, key=lambda name: predicted[name])]
    gain = min(predicted[name] for name in predicted if name in states or name == "scan") - predicted[best.name]
    if many or gain * kind.n_queries >= best.build_cost(segment, kind.costs):
        _built(best, segment, kind, engine)


def _built(structure: Structure, segment: Segment, kind: Kind, engine: Engine) -> Any:
    if structure is STRUCTURES["scan"]:
        return ()  # nothing that would be remembered, kept in files or waited for
    return segment.learned.state(structure.name, lambda: structure.build(segment, engine, kind.n_threads))


def _is_being_built(structure: Structure, segment: Segment) -> bool:
    thread = segment.learned.building.get(structure.name)
    return thread is not None and thread.is_alive()


def _build_beside(structure: Structure, segment: Segment, kind: Kind, engine: Engine) -> None:
    """Build on cores that this search leaves idle, if there are any, while searches go on; tried once."""
    spare = usable_cpus() - kind.n_threads
    cost = structure.build_cost(segment, kind.costs) / max(spare, 1)
    if spare < 1 or cost > LONGEST_BESIDE or structure.name in segment.learned.building:
        return
    if segment.part(engine) is None:  # compiled by Numba, whose lock a child forked meanwhile would find held
        return

    def build() -> None:
        with suppress(Exception):  # a search that has to pay for it will meet it again, where it can be told
            _built(structure, segment, kind._replace(n_threads=spare), engine)

    thread = Thread(target=build, name=f"hashindex: {structure.name}")
    segment.learned.building[structure.name] = thread
    with suppress(RuntimeError):  # no more threads to be had
        thread.start()


def _saves(structure: Structure, state: Any, segment: Segment, kind: Kind) -> bool:
    """Whether stopping early is faster than an exact answer, by what the codes alone tell: never by what was searched.

    So on every machine, and whatever else is built, the same.
    """
    early = with_costs(kind._replace(n_queries=MOST_BATCHED, n_threads=1), segment, DEFAULT)
    limits, weights = _limits(segment, kind, unseen=True)
    exact = early._replace(recall=1.0)
    others = [one.predict(segment, None, limits, exact) for one in STRUCTURES.values() if one.may_serve(segment)]
    took = _mean(structure.predict(segment, state, limits, early), weights)[2]
    return took < min(_mean(other, weights)[2] for other in others)


def _limits(segment: Segment, kind: Kind, *, unseen: bool = False) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How far queries must look, and how often each of that, summing to 1; or what a sample says of it alone."""
    if kind.k is None:
        return np.array([kind.radius]), np.ones(1)
    k = min(kind.k, len(segment.codes))
    n_limits = segment.n_bits + 1
    weights = np.zeros(n_limits)
    if segment.learned.spread is not None:
        sampled = np.minimum(np.rint(segment.learned.spread.limits(k)), kind.radius).astype(np.int64)
        weights += np.bincount(sampled, minlength=n_limits)
    looked = segment.learned.looked.get(kind.k)
    if looked is not None and not unseen:
        seen = int(looked.sum())
        weights += looked[:n_limits] * min(1.0, MOST_SEEN / max(seen, 1))
    if not weights.any():
        weights[min(kind.radius, segment.n_bits)] = 1.0
    limits = np.flatnonzero(weights)
    return limits, weights[limits] / weights.sum()


def _mean(prediction: Prediction, weights: NDArray[np.float64]) -> tuple[float, float, float]:
    lookups, candidates, nanoseconds = (float(part @ weights) for part in prediction)
    return lookups, candidates, nanoseconds
