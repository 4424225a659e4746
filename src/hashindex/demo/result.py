"""What one demo run measured: plain frozen data, all that the listing and the page are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..pages.code_map import CodeMap

if TYPE_CHECKING:
    from ..evaluate import Evaluation
    from ..evaluate.page.retrieved import Retrieved
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
class TrainingCourse:
    """One entry per recorded step, and how long ``fit`` took."""

    step: NDArray[np.int64]
    stage: NDArray[np.int64]
    beta: NDArray[np.float64]
    loss: NDArray[np.float64]
    convergence: tuple[Stage, ...]
    seconds: float


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


@dataclass(frozen=True)
class DemoResult:
    """Everything one run measured."""

    settings: Settings
    task: TaskSize
    training: TrainingCourse
    evaluation: Evaluation
    n_distinct: int  # codes in the database
    checks: tuple[Check, ...]
    missing_engines: tuple[str, ...]  # "native: why it cannot be used"
    speeds: tuple[Speed, ...]  # empty when an answer differed: a wrong answer has no speed
    retrieved: tuple[Retrieved, ...]
    code_map: CodeMap | None  # None with fewer than four distinct codes
    machine: dict[str, str]
    seconds: float

    @property
    def all_equal(self) -> bool:
        """Whether every answer of every engine and method equals faiss's."""
        return bool(self.checks) and not any(check.n_differing for check in self.checks)
