"""What one demo run measured: plain frozen data, all that the table and the report are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..pages.code_map import CodeMap

if TYPE_CHECKING:
    from ..learn.convergence import Stage


@dataclass(frozen=True)
class Settings:
    """What the run was asked for."""

    n_bits: int
    seed: int
    n_threads: int  # for every search, faiss's included
    radius: int
    k: int


@dataclass(frozen=True)
class TaskSize:
    """How large the two-digit task is."""

    n_train: int
    n_database: int
    n_queries: int
    n_classes: int
    similar_share: float  # of all training pairs, 0..1


@dataclass(frozen=True)
class Training:
    """One entry per recorded step, and how long ``fit`` took."""

    step: NDArray[np.int64]
    stage: NDArray[np.int64]
    beta: NDArray[np.float64]
    loss: NDArray[np.float64]
    convergence: tuple[Stage, ...]
    seconds: float


@dataclass(frozen=True)
class Quality:
    """How well the codes retrieve; shares and precisions are 0..1."""

    mean_average_precision: float  # expected over all orders of ties
    map_worst: float  # every tie ordered against us
    map_best: float  # every tie ordered for us
    map_chance: float  # of a random order: the mean share of relevant codes
    precision_within: float  # an empty ball counts 0
    empty_share: float
    mean_ball: float  # codes within the radius, per query
    n_distinct: int
    precision: NDArray[np.float64]  # (n_bits + 1,), at radius 0, 1, ... n_bits
    recall: NDArray[np.float64]  # (n_bits + 1,)


class Check(NamedTuple):
    """One engine and method against faiss."""

    engine: str
    method: str
    n_queries: int
    n_radius_differing: int  # queries with any wrong distance, id or count
    n_nearest_differing: int

    @property
    def n_differing(self) -> int:
        """Wrong answers of both kinds of search together."""
        return self.n_radius_differing + self.n_nearest_differing


class Speed(NamedTuple):
    """Queries per second of one contender at one kind of search."""

    search: str  # "radius = 2", "k = 10"
    contender: str
    queries_per_second: float


class Neighbour(NamedTuple):
    """One of the k nearest, as shown in the report."""

    image: NDArray[np.float32]  # (8, 16)
    label: int
    distance: int


class Example(NamedTuple):
    """One query with its nearest neighbours."""

    query: int  # row in the query set
    image: NDArray[np.float32]  # (8, 16)
    label: int
    hard: bool  # chosen because few neighbours are right; otherwise drawn at random
    neighbours: tuple[Neighbour, ...]

    @property
    def n_right(self) -> int:
        """Neighbours of the query's own class."""
        return sum(neighbour.label == self.label for neighbour in self.neighbours)


@dataclass(frozen=True)
class DemoResult:
    """Everything one run measured."""

    settings: Settings
    task: TaskSize
    training: Training
    quality: Quality
    checks: tuple[Check, ...]
    missing_engines: tuple[str, ...]  # "native: why it cannot be used"
    speeds: tuple[Speed, ...]  # empty when an answer differed: a wrong answer has no speed
    examples: tuple[Example, ...]
    code_map: CodeMap | None  # None with fewer than four distinct codes
    machine: dict[str, str]
    seconds: float

    @property
    def all_equal(self) -> bool:
        """Whether every answer of every engine and method equals faiss's."""
        return bool(self.checks) and not any(check.n_differing for check in self.checks)
