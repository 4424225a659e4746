"""What reproducing found: plain frozen data, kept as JSON; listings are made from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ..evaluate.interval import Interval, confidence_interval


@dataclass(frozen=True)
class Trial:
    """One method with one seed in one experiment. Shares and precisions are 0..1, expected over all orders of ties."""

    experiment: str
    method: str
    seed: int
    n_bits: int
    mean_average_precision: float
    map_worst: float  # every tie ordered against us
    map_best: float
    map_chance: float
    precision_within_2: float  # P@H<=2, an empty ball counts 0
    empty_share: float  # of the balls of radius 2
    precision: tuple[float, ...]  # by radius 0..n_bits
    recall: tuple[float, ...]
    n_distinct: int  # codes in the database
    entropy: float  # mean over the bits, 1 is best
    alarms: tuple[str, ...]  # why the codes look collapsed
    loss: float | None  # of the last training steps; None where no network was trained
    train_seconds: float
    train_items: int | None  # that went through the network meanwhile; None where no network was trained
    train_gpu_bytes: int | None  # largest memory of tensors meanwhile; None on a CPU
    encode_seconds: float  # of database and queries


@dataclass(frozen=True)
class Findings:
    """All findings of one command, with the machine they were made on."""

    title: str
    command: str
    machine: dict[str, str]
    n_threads: int
    titles: dict[str, str]  # by experiment, those included that were not measured
    findings: tuple[Trial, ...]

    def values(self, experiment: str, method: str, measure: str = "mean_average_precision") -> dict[int, float]:
        """Return a measure by seed."""
        return {
            one.seed: getattr(one, measure)
            for one in self.findings
            if (one.experiment, one.method) == (experiment, method)
        }

    def mean(self, experiment: str, method: str, measure: str = "mean_average_precision") -> Interval:
        """Return a measure's mean over the seeds with its 95 % confidence interval."""
        return confidence_interval(list(self.values(experiment, method, measure).values()))

    def gain(self, experiment: str, method: str, other: str) -> Interval:
        """Return by how much MAP is above another method's: the mean of the differences seed by seed, on equal data."""
        ours, theirs = self.values(experiment, method), self.values(experiment, other)
        return confidence_interval([ours[seed] - theirs[seed] for seed in ours if seed in theirs])

    def methods(self, experiment: str) -> list[str]:
        """Name the methods of an experiment in the order of their rows."""
        return list(dict.fromkeys(one.method for one in self.findings if one.experiment == experiment))

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Findings:
        """Make findings of what `to_json` returned."""
        kept: dict[str, Any] = json.loads(text)
        findings = tuple(Trial(**{name: _tuple(value) for name, value in row.items()}) for row in kept["findings"])
        return cls(**{**kept, "findings": findings})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
