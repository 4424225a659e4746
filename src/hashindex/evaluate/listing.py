"""A result as text."""

from .interval import Interval
from .result import Measure, Result


def listing(result: Result) -> str:
    """Every measure on a line with its convention, then the health of the codes and its alarms."""
    first, n_runs = result.runs[0], len(result.runs)
    head = f"{first.evaluation.n_queries:,} queries, {first.evaluation.n_items:,} items, {first.evaluation.n_bits} bits"
    if n_runs > 1:
        head = f"{n_runs} runs: mean and 95 % confidence interval (Student t); first run: {head}"
    cells = [(measure.name, _number(measure), measure.convention) for measure in result.measures]
    names, numbers = (max(len(cell[i]) for cell in cells) for i in (0, 1))
    lines = [head, "", *(f"{name:<{names}}  {number:>{numbers}}  {note}" for name, number, note in cells), ""]
    lines += [result.calibration.text, ""]
    for run in result.runs:
        lines += [f"ALARM {run.name}: {alarm.name}: {alarm.reason}" for alarm in run.health.alarms]
    return "\n".join(lines if result.has_alarm else [*lines, "no alarm: the codes look healthy"])


def _number(measure: Measure) -> str:
    interval: Interval = measure.interval
    digits = 4 if max(map(abs, measure.values)) <= 1 else 1
    if all(value == int(value) and value > 1 for value in measure.values):
        digits = 0 if interval.n == 1 else 1
    text = f"{interval.mean:,.{digits}f}"
    return text if interval.half_width is None else f"{text} +- {interval.half_width:,.{digits}f}"
