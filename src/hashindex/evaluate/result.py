"""What an evaluation of one or several runs found: plain frozen data, all that a listing or a page is made from."""

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from .calibrate import RadiusChoice, Wanted, choose_radius
from .evaluation import Evaluation
from .health import PERCENTILES, CodeHealth, Saturation
from .interval import Interval, confidence_interval

_CORRELATION = "correlation of two bits, mean over the pairs of bits that vary; 0 is best"


class Measure(NamedTuple):
    """One number of every run, with its mean over the runs and the convention it was computed by."""

    name: str
    interval: Interval
    values: tuple[float, ...]  # one per run
    convention: str


@dataclass(frozen=True)
class Run:
    """One set of codes, as of one seed."""

    name: str
    data: str  # a digest of the labels: the same for runs on the same queries and database
    evaluation: Evaluation
    health: CodeHealth  # of the database's codes


@dataclass(frozen=True)
class Calibration:
    """A radius to search with, chosen by the means over the runs."""

    wanted: Wanted
    choice: RadiusChoice | None
    text: str  # the choice, or why there is none


@dataclass(frozen=True)
class Result:
    """One or more runs; all have the same n_bits, at and list sizes."""

    runs: tuple[Run, ...]
    radius: int  # of the P@H<=radius among the measures
    measures: tuple[Measure, ...]
    calibration: Calibration

    @property
    def has_alarm(self) -> bool:
        """Whether the codes of any run look unhealthy."""
        return any(run.health.alarms for run in self.runs)


def summarise(runs: tuple[Run, ...], radius: int, wanted: Wanted) -> Result:
    """Put runs together; ValueError where there are none, or they do not share n_bits, at and list sizes."""
    if not runs:
        raise ValueError("runs must hold at least 1 run")
    kinds: dict[tuple[int, int | None, tuple[int, ...]], str] = {}
    for run in runs:
        kinds.setdefault((run.evaluation.n_bits, run.evaluation.at, run.evaluation.list_sizes), run.name)
    if len(kinds) > 1:
        seen = ", ".join(f"{n_bits} bits, at {at} in {name}" for (n_bits, at, _), name in kinds.items())
        raise ValueError(
            f"runs must share n_bits, at and list sizes, got {seen}: a mean over different measures says nothing"
        )
    numbers = [_numbers(run, radius) for run in runs]
    measures = []
    for measure in numbers[0]:
        values = [each[measure] for each in numbers if measure in each]
        if len(values) == len(runs):
            name, convention = measure
            measures.append(Measure(name, confidence_interval(values), tuple(values), convention))
    return Result(runs, radius, tuple(measures), _calibration(runs, wanted))


def to_json(result: object) -> str:
    """Write a result or a comparison as JSON: named fields as objects, arrays as lists, what is missing as null."""
    return json.dumps(_plain(result), indent=1, allow_nan=False)


def _calibration(runs: tuple[Run, ...], wanted: Wanted) -> Calibration:
    curves = ("recall", "precision", "candidates", "without_relevant")
    means = {name: np.mean([getattr(run.evaluation, name) for run in runs], axis=0) for name in curves}
    try:
        choice = choose_radius(replace(runs[0].evaluation, **means), wanted)
    except ValueError as error:
        return Calibration(wanted, None, str(error))
    return Calibration(
        wanted,
        choice,
        f"radius {choice.radius} is {wanted}: recall {choice.recall:.4f}, precision {choice.precision:.4f}, "
        f"{choice.candidates:,.1f} items per query",
    )


def _numbers(run: Run, radius: int) -> dict[tuple[str, str], float]:
    """The numbers of a run by name and convention, in reading order."""
    found, health, r = run.evaluation, run.health, min(radius, run.evaluation.n_bits)
    balance, saturation = np.minimum(health.ones, 1 - health.ones), health.saturation
    mean_ap = f"MAP@{found.at}" if found.at else "MAP"
    divided = f"divided by min(relevant, {found.at})" if found.at else "over the whole ranking"
    return {
        (mean_ap, f"expected over all orders of ties, {divided}"): found.mean_average_precision.value,
        (f"{mean_ap}, worst order", "relevant items last in every tie"): found.mean_average_precision.worst,
        (f"{mean_ap}, best order", "relevant items first in every tie"): found.mean_average_precision.best,
        ("chance", "mean share of relevant items: the precision of a random order"): found.chance,
        (f"P@H<={radius}", "an empty ball counts 0"): float(found.precision[r]),
        (f"empty balls, H<={radius}", "share of queries"): float(found.empty_share[r]),
        (f"recall, H<={radius}", "a query without relevant items counts 0"): float(found.recall[r]),
        (f"items, H<={radius}", "in the ball of a query"): float(found.candidates[r]),
        **{
            (f"P@{size}", "expected over all orders of ties"): float(precision)
            for size, precision in zip(found.list_sizes, found.precision_at, strict=True)
        },
        **{
            (f"recall@{size}", "expected over all orders of ties"): float(recall)
            for size, recall in zip(found.list_sizes, found.recall_at, strict=True)
        },
        ("no relevant item", "share of queries; they count 0 everywhere"): found.without_relevant,
        ("no label", "share of queries; they count 0 everywhere"): found.unlabelled,
        ("distinct codes", "in the database"): health.n_distinct,
        ("entropy", "bits per bit of the database's codes, 1 is best"): health.mean_entropy,
        ("constant bits", "share of the bits"): health.constant_share,
        ("bit balance", "share of the rarer value of a bit, mean over the bits; 0.5 is best"): float(balance.mean()),
        ("bit balance, worst", "of the bit that is least balanced"): float(balance.min()),
        **({} if health.mean_correlation is None else {("|r|", _CORRELATION): health.mean_correlation}),
        **({} if saturation is None else _saturation_numbers(saturation)),
    }


def _saturation_numbers(saturation: Saturation) -> dict[tuple[str, str], float]:
    """How far the values are from the threshold that makes them bits."""
    return {
        ("|z|", "mean size of the values that the bits are the signs of"): saturation.mean,
        **{
            (f"|z|, {percent} %", "as many values are smaller"): value
            for percent, value in zip(PERCENTILES, saturation.percentiles, strict=True)
        },
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray) else value
