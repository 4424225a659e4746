"""Several methods beside each other, each with its runs: what `hashindex eval` shows of a folder of methods."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .calibrate import Wanted
from .interval import Interval, confidence_interval
from .result import Result, Run, summarise

HEAD = ("method", "MAP", "by order of ties", "P@H<=", "empty", "recall@", "radius", "distinct", "gain", "alarms")
RECALL_AT = 100  # one of `LIST_SIZES`


@dataclass(frozen=True)
class Comparison:
    """Methods by name; others are compared with the first. Runs of the same name share their data."""

    results: dict[str, Result]
    radius: int
    wanted: Wanted  # of the radius to search with

    @property
    def first(self) -> str:
        """The method that others are compared with."""
        return next(iter(self.results))

    @property
    def has_alarm(self) -> bool:
        """Whether the codes of any run look unhealthy."""
        return any(result.has_alarm for result in self.results.values())

    def mean_average_precision(self, method: str) -> Interval:
        """Return the MAP over a method's runs."""
        return confidence_interval([run.evaluation.mean_average_precision.value for run in self.results[method].runs])

    def precision_within(self, method: str) -> Interval:
        """Return P@H<=radius over a method's runs."""
        return confidence_interval(
            [float(run.evaluation.precision[self._at(run)]) for run in self.results[method].runs]
        )

    def empty_share(self, method: str) -> float:
        """Return the share of empty balls of the radius, over a method's runs."""
        shares = [float(run.evaluation.empty_share[self._at(run)]) for run in self.results[method].runs]
        return sum(shares) / len(shares)

    def gain(self, method: str) -> Interval | None:
        """Return how far the first method's MAP is above another's, over runs of the same name; None without any."""
        ours, theirs = (
            {run.name: run.evaluation.mean_average_precision.value for run in self.results[name].runs}
            for name in (self.first, method)
        )
        shared = [ours[name] - theirs[name] for name in ours if name in theirs]
        return confidence_interval(shared) if shared and method != self.first else None

    @property
    def head(self) -> tuple[str, ...]:
        """Name the listing's columns; alarms have one if there are any."""
        full = {"MAP": self.measure, "P@H<=": f"P@H<={self.radius}", "recall@": f"recall@{RECALL_AT}"}
        return tuple(full.get(name, name) for name in (HEAD if self.has_alarm else HEAD[:-1]))

    @property
    def measure(self) -> str:
        """Name what `mean_average_precision` is: MAP, or MAP@R where it looks at R places."""
        at = self.results[self.first].runs[0].evaluation.at
        return "MAP" if at is None else f"MAP@{at}"

    def rows(self) -> list[tuple[str, ...]]:
        """Return the listing's cells in the order of `head`, as text."""
        return [self._row(method)[: len(self.head)] for method in self.results]

    def _row(self, method: str) -> tuple[str, ...]:
        runs = self.results[method].runs
        worst, best = (
            sum(getattr(run.evaluation.mean_average_precision, end) for run in runs) / len(runs)
            for end in ("worst", "best")
        )
        recalls = [run.evaluation.recall_at[run.evaluation.list_sizes.index(RECALL_AT)] for run in runs]
        gain, choice = self.gain(method), self.results[method].calibration.choice
        return (
            method,
            shown(self.mean_average_precision(method)),
            f"{worst:.3f} to {best:.3f}",
            shown(self.precision_within(method)),
            f"{100 * self.empty_share(method):.1f} %",
            f"{sum(recalls) / len(recalls):.3f}",
            "none" if choice is None else f"{choice.radius} ({choice.candidates:,.0f})",
            f"{sum(run.health.n_distinct for run in runs) / len(runs):,.0f}",
            "" if gain is None else shown(gain, "+"),
            ", ".join(dict.fromkeys(alarm.name for run in runs for alarm in run.health.alarms)),
        )

    def _at(self, run: Run) -> int:
        return min(self.radius, run.evaluation.n_bits)


def compare(runs: dict[str, tuple[Run, ...]], radius: int, wanted: Wanted) -> Comparison:
    """Put methods beside each other.

    ValueError where runs do not share n_bits, at and list sizes (`LIST_SIZES`), or runs of the same name their data.
    """
    named = [replace(run, name=f"{method}/{run.name}") for method, of_one in runs.items() for run in of_one]
    summarise(tuple(named), radius, wanted)
    first: dict[str, tuple[str, Run]] = {}
    for method, of_one in runs.items():
        for run in of_one:
            known, other = first.setdefault(run.name, (method, run))
            if run.data != other.data:
                raise ValueError(
                    f"{known}/{other.name} and {method}/{run.name} have other labels, of {_size(other)} and of "
                    f"{_size(run)}: runs of the same name must be of the same queries and database in the same order"
                )
    return Comparison({name: summarise(of_one, radius, wanted) for name, of_one in runs.items()}, radius, wanted)


def _size(run: Run) -> str:
    return f"{run.evaluation.n_queries:,} queries and {run.evaluation.n_items:,} items"


def shown(interval: Interval, sign: str = "") -> str:
    """Return a mean with its confidence interval, if there is one."""
    mean = f"{interval.mean:{sign}.3f}"
    return mean if interval.half_width is None else f"{mean} ± {interval.half_width:.3f}"


def comparison_listing(comparison: Comparison) -> str:
    """Return a line per method, in columns."""
    rows = [comparison.head, *comparison.rows()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    note = (
        f"{comparison.measure} is expected over all orders of ties; an empty ball counts 0; "
        f"radius: {comparison.wanted} (items within it per query); "
        f"gain: the {comparison.measure} of {comparison.first} above the row's, over runs of the same name; "
        "mean ± 95 % confidence interval (Student t)"
    )
    return "\n".join([*lines, "", note])
