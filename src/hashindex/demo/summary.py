"""The headline numbers of a demo run in words: one list for the printed listing and for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .result import DemoResult, Speed


class Line(NamedTuple):
    """One headline: what was measured, the number, and what it has to be seen beside."""

    name: str
    value: str
    note: str
    bad: bool = False


def summary(result: DemoResult) -> list[Line]:
    """The lines in reading order: quality of the codes, exactness, speed."""
    found, settings = result.evaluation, result.settings
    mean_ap = found.mean_average_precision
    return [
        Line(
            "MAP (tie-aware)",
            f"{mean_ap.value:.3f}",
            f"{mean_ap.worst:.3f} to {mean_ap.best:.3f} by the order of ties; a random order has {found.chance:.3f}",
        ),
        Line(
            f"P@H<={settings.radius}",
            f"{found.precision[settings.radius]:.3f}",
            f"{100 * found.empty_share[settings.radius]:.1f} % of the balls are empty and count 0; "
            f"{found.candidates[settings.radius]:.0f} codes per ball",
        ),
        Line(
            "distinct codes",
            f"{result.n_distinct:,}",
            f"of {result.task.n_database:,} images in {result.task.n_classes} classes",
        ),
        _exactness(result),
        *(_speed(result, search) for search in dict.fromkeys(speed.search for speed in result.speeds)),
        *(Line("engine missing", "-", reason, bad=True) for reason in result.missing_engines),
    ]


def listing(lines: list[Line]) -> str:
    """The lines as text in three columns, without a line break at the end."""
    name_width = max(len(line.name) for line in lines)
    value_width = max(len(line.value) for line in lines)
    return "\n".join(f"{line.name:<{name_width}}  {line.value:>{value_width}}  {line.note}".rstrip() for line in lines)


def _exactness(result: DemoResult) -> Line:
    settings, checks = result.settings, result.checks
    engines = list(dict.fromkeys(check.engine for check in checks))
    methods = list(dict.fromkeys(check.method for check in checks))
    n_answers = 2 * sum(check.n_queries for check in checks)
    n_differing = sum(check.n_differing for check in checks)
    searched = f"radius = {settings.radius} and k = {settings.k}; {', '.join(engines)}; {', '.join(methods)}"
    if not n_differing:
        return Line("equal to faiss", f"all {n_answers:,}", f"answers: {searched}")
    worst = ", ".join(f"{check.engine} {check.method}: {check.n_differing:,}" for check in checks if check.n_differing)
    return Line("DIFFERENT FROM FAISS", f"{n_differing:,}", f"of {n_answers:,} answers ({worst}); not timed", bad=True)


def _speed(result: DemoResult, search: str) -> Line:
    speeds = [speed for speed in result.speeds if speed.search == search]
    first, *others = speeds
    compared = ", ".join(_beside(first, other) for other in others)
    threads = result.settings.n_threads
    return Line(
        f"queries/s, {search}",
        f"{first.queries_per_second:,.0f}",
        f"{first.contender}; {compared}; {threads} thread{'s' if threads > 1 else ''}",
    )


def _beside(first: Speed, other: Speed) -> str:
    ratio = first.queries_per_second / other.queries_per_second
    return f"{ratio:.2g} x {other.contender} ({other.queries_per_second:,.0f})"
