"""Folds as a search structure: a scan of narrower codes that are never further apart than the codes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.folds import MAX_FOLDED, SHARE_SCANNED, fold
from ..engines.query import NearestQuery, RadiusQuery
from ..engines.results import NearestRows, RadiusRows
from ..engines.rows import Codes
from ..segments.segment import Segment
from .chunks import scans
from .costs import FEW, Costs, folding
from .sampling import distances_between, sampled, shares_within
from .structure import Kind, Prediction

FEWEST_CODES = 2**14  # below, a scan is over soon
FEWEST_WORDS = 4  # of a code: narrower ones are scanned as fast as folds would be sifted
QUERIES, OTHERS = 16, 256  # sampled codes: what one pair in 4096 adds to a prediction is a small part of it
USUAL_K = 10  # neighbours for which the width of folds is chosen
CARE = 1.25  # times as far as a sample says that the k-th neighbour is
SIFTED, SIFTED_WORD = 48.0, 4.0  # words of folds that are compared in the time of looking at a code, and at its words
FETCHED = 370.0  # bytes that are streamed in the time that one code takes from behind the cache

State = dict[int, Codes]  # (n_codes, 8 * width) by width in words
Shares = dict[int, NDArray[np.float64]]  # (n_bits + 1,) by width: of folds within each limit of that of a query


class Notes(NamedTuple):
    """What is found out about a segment: what a sample of its folds leaves, and the widths to build."""

    shares: Shares
    usual: list[int]


class Falling(NamedTuple):
    """How far sampled queries look when a share of the codes has been seen, until twice as many have."""

    seen: NDArray[np.float64]  # (n_steps,)
    limits: NDArray[np.int64]  # (n_steps, n_queries)


class FoldStructure:
    """Codes XORed down to fewer words; of the codes a search looks at those whose folds are near."""

    name = "folds"
    stops_early = False

    def may_serve(self, segment: Segment) -> bool:
        """Where there are wide codes in plenty."""
        return FEWEST_CODES <= len(segment.codes) < MAX_FOLDED and _n_words(segment) >= FEWEST_WORDS

    def look_cost(self, segment: Segment, costs: Costs) -> float:
        """By the words of the codes sampled, which are fetched from all over memory."""
        return costs.look * (3.5e5 + 6e3 * min(_n_words(segment), 64) + 0.1 * min(len(segment.codes), 2**20))

    def least(self, segment: Segment, limits: NDArray[np.int64], kind: Kind) -> NDArray[np.float64]:  # noqa: ARG002
        """Nothing can be told."""
        return np.zeros(limits.shape)

    def build_cost(self, segment: Segment, costs: Costs) -> float:
        """By the bytes read and written."""
        notes: Notes | None = segment.learned.notes.get(self.name)
        widths = notes.usual if notes else _widths(_n_words(segment))[:2]
        return costs.fold * folding(segment.codes.shape, widths)

    def build(self, segment: Segment, engine: Engine, n_threads: int, parts: Sequence[Segment] = ()) -> State:  # noqa: ARG002
        """Fold all codes to the width that serves a usual search best, and to half of it for shorter radii."""
        state, codes = {}, segment.codes
        for width in self._notes(segment).usual:
            state[width] = engine.folds.build(codes, 8 * width, n_threads)
            if width % 2 == 0:
                codes = state[width]  # of folds to half of that, the same as of the codes
        return state

    def predict(self, segment: Segment, state: State | None, limits: NDArray[np.int64], kind: Kind) -> Prediction:
        """By how many codes of a sample have folds as near."""
        n, costs = len(segment.codes), kind.costs
        notes = self._notes(segment)
        widths = notes.usual if state is None else list(state)
        falling, n_scanned = _falling(segment, kind.k), 0 if kind.k is None else n // SHARE_SCANNED
        width = _best(segment, notes.shares, widths, _limits(segment, kind.k, kind.radius), falling)
        sifted = n * _left(notes.shares[width], limits, falling)
        shares = np.diff(notes.shares[width][: 64 * width + 1], prepend=0.0)
        folds = scans((n, 8 * width), kind, limits, lambda: (np.arange(len(shares), dtype=np.float64), shares))
        nanoseconds = folds + _looking(segment, kind, sifted)
        nanoseconds += n_scanned / n * costs.scan(n, segment.n_bits, kind.n_queries)
        return Prediction(np.zeros(limits.shape), sifted + n_scanned, nanoseconds)

    def radius(self, segment: Segment, state: State, query: RadiusQuery, kind: Kind, engine: Engine) -> RadiusRows:
        """By the engine."""
        return engine.folds.radius(segment.rows, self._folds(segment, state, kind), query)

    def nearest(self, segment: Segment, state: State, query: NearestQuery, kind: Kind, engine: Engine) -> NearestRows:
        """By the engine."""
        return engine.folds.nearest(segment.rows, self._folds(segment, state, kind), query)

    def step(self, segment: Segment, state: State, kind: Kind, engine: Engine) -> Any | None:
        """The engine's."""
        return engine.folds.step(self._folds(segment, state, kind), segment.codes.shape[1])

    def order(self, segment: Segment, state: State) -> None:
        """As the codes lie."""

    def arrays(self, state: State) -> dict[str, NDArray[Any]]:
        """The folds by their width in words."""
        return {f"folds{width}": folds for width, folds in state.items()}

    def restore(self, segment: Segment, arrays: dict[str, NDArray[Any]]) -> State:
        """The folds, if they are of as many codes and narrower."""
        n, widths = len(segment.codes), _widths(_n_words(segment))
        state = {width: arrays[f"folds{width}"] for width in widths if f"folds{width}" in arrays}
        if len(state) != len(arrays) or not state or n >= MAX_FOLDED:
            raise ValueError(f"folds named {', '.join(arrays)} do not fit {segment.n_bits}-bit codes")
        for width, folds in state.items():
            if folds.dtype != np.uint8 or folds.shape != (n, 8 * width):
                raise ValueError(f"{folds.dtype} folds of shape {folds.shape} do not fit {n} codes: {width} words each")
        return state

    def _folds(self, segment: Segment, state: State, kind: Kind) -> Codes:
        limits, falling = _limits(segment, kind.k, kind.radius), _falling(segment, kind.k)
        return state[_best(segment, self._notes(segment).shares, list(state), limits, falling)]

    def _notes(self, segment: Segment) -> Notes:
        known: Notes | None = segment.learned.notes.get(self.name)
        if known is None:  # noted whole, or other threads would meet a part of it
            shares = _sampled_shares(segment)
            known = segment.learned.notes[self.name] = Notes(shares, _usual(segment, shares))
        return known


def _usual(segment: Segment, shares: Shares) -> list[int]:
    """Words of the folds to build: the best for usual searches, or twice as many, and half of them."""
    widths = list(shares)
    limits, falling = _limits(segment, USUAL_K, segment.n_bits), _falling(segment, USUAL_K)
    first = min(widths.index(_best(segment, shares, widths, limits, falling)), len(widths) - 2)
    return widths[max(first, 0) :][:2]


def _best(
    segment: Segment, shares: Shares, widths: list[int], limits: NDArray[np.int64], falling: Falling | None
) -> int:
    """The width for searches that look as far as the limits."""
    sifting = _sifting(segment)
    left = _left(np.stack([shares[width] for width in widths]), limits, falling).mean(axis=1)
    return widths[int(np.argmin(np.array(widths) + sifting * left))]


def _falling(segment: Segment, k: int | None) -> Falling | None:
    """How limits fall on the way: the k nearest of few codes are farther."""
    spread = segment.learned.spread
    if k is None or spread is None:
        return None
    seen = 2.0 ** np.arange(int(log2(SHARE_SCANNED))) / SHARE_SCANNED
    return Falling(seen, np.rint([spread.limits(int(k / share)) for share in seen.tolist()]).astype(np.int64))


def _left(shares: NDArray[np.float64], limits: NDArray[np.int64], falling: Falling | None) -> NDArray[np.float64]:
    """Of shares (..., n_bits + 1) the share of the codes that are sifted, by limit: (..., n_limits)."""
    most = shares.shape[-1] - 1
    left: NDArray[np.float64]
    if falling is None:
        left = shares.take(np.minimum(limits, most), -1)
    else:
        reached = np.minimum(np.maximum(limits[:, None, None], falling.limits), most)
        left = shares.take(reached, -1).mean(axis=-1) @ falling.seen
    return left


def _sampled_shares(segment: Segment) -> Shares:
    codes = sampled(segment.codes, QUERIES + OTHERS)
    shares = {}
    for width in _widths(_n_words(segment)):
        folds = fold(codes, 8 * width)
        if width % 2 == 0:
            codes = folds  # as in building
        between = distances_between(folds[:QUERIES], folds[QUERIES:])
        shares[width] = shares_within(between, segment.n_bits + 1) if between.size else np.ones(segment.n_bits + 1)
    return shares


def _limits(segment: Segment, k: int | None, radius: int) -> NDArray[np.int64]:
    """How far such searches look, rather too far than not: a sample tells of the usual query."""
    spread = segment.learned.spread
    if k is None or spread is None:
        return np.array([min(radius, segment.n_bits)])
    limits = np.rint(CARE * spread.limits(min(k, len(segment.codes)))).astype(np.int64)
    return np.minimum(limits, radius)


def _sifting(segment: Segment) -> float:
    """What looking at a code takes, in words of folds compared."""
    return SIFTED + SIFTED_WORD * _n_words(segment)


def _looking(segment: Segment, kind: Kind, sifted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nanoseconds of looking at so many codes; a few queries do not share what comes from behind the cache."""
    costs, n_bytes = kind.costs, 8 * _n_words(segment) * len(segment.codes)
    if kind.n_queries > FEW:
        return sifted * costs.sift
    return sifted * costs.sift + costs.missing(n_bytes) * costs.stream_byte * np.minimum(sifted * FETCHED, n_bytes)


def _n_words(segment: Segment) -> int:
    return (segment.n_bits + 63) // 64


def _widths(n_words: int) -> list[int]:
    """Words that folds may have: half as many as the codes, and half of that."""
    widths, width = [], (n_words + 1) // 2
    while 16 * width >= n_words and width not in widths:
        widths.append(width)
        width = (width + 1) // 2
    return widths
